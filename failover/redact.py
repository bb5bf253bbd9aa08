"""Take secrets out of text before it leaves us: logs, notices, answers.

We read no credential, but other programs' error texts and command lines pass through our hands.
"""

from __future__ import annotations

import re

_GONE = "[redacted]"
#: Things that are secrets wherever they stand.
_BARE = re.compile(
    r"""
      \bsk-[A-Za-z0-9_-]{8,}                                  # API keys and OAuth tokens (sk-ant-api03-, sk-ant-oat01-)
    | \beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*)?   # JSON web tokens
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b                           # AWS key ids
    | \bgh[a-z]_[A-Za-z0-9]{20,}\b                            # GitHub
    | \bxox[a-z]-[A-Za-z0-9-]{10,}                            # Slack
    | (?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}                      # Telegram bots
    """,
    re.VERBOSE,
)
_AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{6,}")
_USERINFO = re.compile(r"(?<=://)[^/\s:@]{1,256}:[^/\s@]{1,256}(?=@)")
#: name=value and "name": "value"; a plain number is a count (`input_tokens`), not a secret. A name is looked at once,
#: from its start, so that hostile text costs no more than its length.
_NAMED = re.compile(
    r"""(?ix)
    ( (?<! [\w.-] )
      (?= [\w.-]*? (?:token|secret|passw(?:or)?d|api[_-]?key|credential|authorization) )
      [\w.-]++ ["']? \s{0,4} [=:] \s{0,4} )
    (?! \d+(?:\.\d+)? (?:[\s,;}\])]|$) )
    (?: "(?:[^"\\]|\\.)*+" | '(?:[^'\\]|\\.)*+' | [^\s,;&"'}\])]+ )
    """
)


#: Secrets of this process that nobody could tell by their looks, the longest first.
_hidden: list[str] = []
#: A shorter one would be found in half of all words.
_LEAST = 8


def hide(secret: str) -> None:
    """Take this very text out of whatever is redacted from now on. One under 8 characters cannot be hidden."""
    if len(secret) >= _LEAST and secret not in _hidden:
        _hidden.append(secret)
        _hidden.sort(key=len, reverse=True)


def redact(text: str) -> str:
    """Return `text` with everything that looks like a secret replaced by `[redacted]`."""
    for secret in _hidden:
        text = text.replace(secret, _GONE)
    text = _BARE.sub(_GONE, text)
    text = _AUTHORIZATION.sub(rf"\1\2{_GONE}", text)
    text = _USERINFO.sub(_GONE, text)
    return _NAMED.sub(rf"\1{_GONE}", text)
