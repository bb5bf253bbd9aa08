-- One file, one writing role per table (named behind each). Everything durable is here; the bus only says "look".
-- Times: *_ms are epoch milliseconds (display, reset times); *_mono are seconds of the host's monotonic clock, true
-- only for the boot named beside them.

CREATE TABLE events (           -- every role, its own events, in the transaction that they report
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms   INTEGER NOT NULL,
    source  TEXT NOT NULL,
    boot    TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    type    TEXT NOT NULL,
    body    TEXT NOT NULL
);

CREATE TABLE roles (            -- every role, its own row
    role    TEXT PRIMARY KEY,
    boot    TEXT NOT NULL,
    pid     INTEGER NOT NULL,
    start   INTEGER NOT NULL,                 -- clock ticks since the host's boot, /proc/PID/stat field 22
    at_ms   INTEGER NOT NULL,
    did     TEXT NOT NULL DEFAULT '',         -- the sentence of its last cycle
    config  TEXT NOT NULL DEFAULT '{}'        -- a fingerprint of each top-level key of the configuration it has taken
);

CREATE TABLE flags (            -- control-plane: what the operator has set (paused, disabled:ACCOUNT)
    name    TEXT PRIMARY KEY,
    value   TEXT NOT NULL,
    by      TEXT NOT NULL,
    at_ms   INTEGER NOT NULL
);

CREATE TABLE orders (           -- control-plane
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms   INTEGER NOT NULL,
    verb    TEXT NOT NULL,
    args    TEXT NOT NULL,
    by      TEXT NOT NULL
);

CREATE TABLE order_keys (       -- control-plane: what was answered to an order that had a key of its sender's
    key     TEXT PRIMARY KEY,
    at_ms   INTEGER NOT NULL,
    request TEXT NOT NULL,                    -- digest of what was asked for
    answer  TEXT NOT NULL
);
CREATE INDEX order_keys_by_age ON order_keys (at_ms);

CREATE TABLE order_results (    -- account-switcher
    order_id INTEGER PRIMARY KEY,
    at_ms    INTEGER NOT NULL,
    outcome  TEXT NOT NULL,                   -- done | refused | failed
    sentence TEXT NOT NULL,
    detail   TEXT NOT NULL DEFAULT '{}'
);

CREATE TABLE task_order_results (  -- dispatcher: of the orders that are about a task
    order_id INTEGER PRIMARY KEY,
    at_ms    INTEGER NOT NULL,
    outcome  TEXT NOT NULL,                   -- done | refused | failed
    sentence TEXT NOT NULL,
    detail   TEXT NOT NULL DEFAULT '{}'
);

CREATE TABLE sweep_order_results (  -- janitor: of the orders to sweep at once
    order_id INTEGER PRIMARY KEY,
    at_ms    INTEGER NOT NULL,
    outcome  TEXT NOT NULL,                   -- done | failed
    sentence TEXT NOT NULL,
    detail   TEXT NOT NULL DEFAULT '[]'       -- what was done, one entry a finding
);

CREATE TABLE hook_calls (       -- control-plane
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms         INTEGER NOT NULL,
    session       TEXT NOT NULL,
    account       TEXT NOT NULL,
    launch        TEXT NOT NULL,
    conversation  TEXT NOT NULL,
    hook          TEXT NOT NULL,
    body          TEXT NOT NULL               -- only the fields that somebody reads (failover/claude/hooks.py)
);
CREATE INDEX hook_calls_by_conversation ON hook_calls (conversation, id);

CREATE TABLE activities (       -- control-plane: the fold of a session's hooks (failover/core/session.py)
    session       TEXT PRIMARY KEY,
    launch        TEXT NOT NULL,
    conversation  TEXT NOT NULL,
    last_call     INTEGER NOT NULL,
    boot          TEXT NOT NULL,              -- of the control plane that holds the connection, when held
    body          TEXT NOT NULL
);

CREATE TABLE statuslines (      -- control-plane: the newest push of each session
    session       TEXT PRIMARY KEY,
    account       TEXT NOT NULL,
    launch        TEXT NOT NULL,
    conversation  TEXT NOT NULL,
    at_ms         INTEGER NOT NULL,
    body          TEXT NOT NULL
);

CREATE TABLE sessions (         -- session-watcher: what is seen
    name          TEXT PRIMARY KEY,
    state         TEXT NOT NULL,              -- failover/core/session.py
    since_ms      INTEGER NOT NULL,
    seen_ms       INTEGER NOT NULL,
    conversation  TEXT NOT NULL DEFAULT '',
    pid           INTEGER NOT NULL DEFAULT 0,
    start         INTEGER NOT NULL DEFAULT 0,
    pane          TEXT NOT NULL DEFAULT '',
    waiting_for   TEXT NOT NULL DEFAULT '',
    limit_window  TEXT NOT NULL DEFAULT '',
    limit_resets  INTEGER NOT NULL DEFAULT 0, -- epoch seconds
    note          TEXT NOT NULL DEFAULT ''
);

CREATE TABLE readings (         -- quota-monitor: history; the newest of each account and window counts
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    account       TEXT NOT NULL,
    window        TEXT NOT NULL,
    used          REAL NOT NULL,              -- percent
    resets_at     INTEGER,                    -- epoch seconds
    observed_ms   INTEGER NOT NULL,
    source        TEXT NOT NULL,
    origin        TEXT NOT NULL DEFAULT ''    -- the session that told it, if one did
);
CREATE INDEX readings_by_window ON readings (account, window, observed_ms);
CREATE INDEX readings_by_arrival ON readings (account, window, id);

CREATE TABLE charged (          -- quota-monitor: how far each conversation's cost was counted
    conversation  TEXT PRIMARY KEY,
    total         REAL NOT NULL,              -- US dollars, over all accounts that it ran on
    at_ms         INTEGER NOT NULL
);

CREATE TABLE spent (            -- quota-monitor: what our sessions cost
    account       TEXT NOT NULL,
    day           INTEGER NOT NULL,           -- days since 1970, UTC
    usd           REAL NOT NULL,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;

CREATE TABLE polls (            -- quota-monitor: who was asked for readings last; back-off outlives a restart with it
    name          TEXT PRIMARY KEY,           -- account/NAME, or command for the operator's own
    asked_ms      INTEGER NOT NULL,
    failures      INTEGER NOT NULL,           -- in a row; 0: the last answer was one
    said          TEXT NOT NULL,              -- what came of it, in a sentence
    pid           INTEGER NOT NULL DEFAULT 0, -- with start: the process that was asked, while it runs
    start         INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE swap_requests (    -- quota-monitor
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms         INTEGER NOT NULL,
    source        TEXT NOT NULL,
    target        TEXT NOT NULL,
    urgency       TEXT NOT NULL,              -- idle | soft | hard
    reason        TEXT NOT NULL,
    sessions      TEXT NOT NULL DEFAULT '[]', -- which ones; none named: all that should move
    shares        TEXT NOT NULL DEFAULT '{}'  -- session → account, of those that go elsewhere than to the target
);

CREATE TABLE decisions (        -- quota-monitor: what was decided and why; a row a change, brought up to date meanwhile
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    since_ms      INTEGER NOT NULL,
    at_ms         INTEGER NOT NULL,           -- when its sentences were last brought up to date
    kind          TEXT NOT NULL,              -- stay | swap
    source        TEXT NOT NULL,
    target        TEXT NOT NULL,
    reason        TEXT NOT NULL,
    verdicts      TEXT NOT NULL               -- [[account, verdict, why], ...] (failover/core/choice.py)
);

CREATE TABLE costs (            -- quota-monitor: what a percent point of a window costs (failover/core/cost.py)
    account       TEXT NOT NULL,
    window        TEXT NOT NULL,
    tokens        REAL NOT NULL,
    points        REAL NOT NULL,
    PRIMARY KEY (account, window)
) WITHOUT ROWID;

CREATE TABLE placements (       -- account-switcher: which account and process each session runs on
    session       TEXT PRIMARY KEY,
    account       TEXT NOT NULL,
    conversation  TEXT NOT NULL,
    cwd           TEXT NOT NULL,
    wanted        TEXT NOT NULL,              -- running | stopped
    launch        TEXT NOT NULL,
    pinned        TEXT NOT NULL DEFAULT '',   -- the account that a person chose; it is gone back to
    pane          TEXT NOT NULL DEFAULT '',
    pid           INTEGER NOT NULL DEFAULT 0, -- with start: 0 until known
    start         INTEGER NOT NULL DEFAULT 0,
    since_size    INTEGER NOT NULL DEFAULT 0, -- of the transcript, when the process was started (bytes)
    server_pid    INTEGER NOT NULL DEFAULT 0, -- with server_start: the tmux server that it was started in, 0: unknown
    server_start  INTEGER NOT NULL DEFAULT 0,
    given_up      TEXT NOT NULL DEFAULT '',   -- why it is not brought back by itself: people were told
    carried       TEXT NOT NULL DEFAULT ''    -- what it was found with when it was adopted (failover/core/move.py)
);

CREATE TABLE swaps (            -- account-switcher; restarts and stops go the same way
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT NOT NULL,              -- swap | restart | stop | fresh | restore
    source        TEXT NOT NULL,
    target        TEXT NOT NULL,
    urgency       TEXT NOT NULL,
    reason        TEXT NOT NULL,
    order_id      INTEGER NOT NULL DEFAULT 0,
    request_id    INTEGER NOT NULL DEFAULT 0, -- row in swap_requests; of a fresh one, in fresh_requests
    state         TEXT NOT NULL,              -- open | done | partial | failed | refused
    started_ms    INTEGER NOT NULL,
    started_mono  REAL NOT NULL,
    deadline_mono REAL NOT NULL,
    host_boot     TEXT NOT NULL,
    finished_ms   INTEGER NOT NULL DEFAULT 0,
    sentence      TEXT NOT NULL DEFAULT '',
    tried         TEXT NOT NULL DEFAULT '[]'  -- earlier targets that turned out to be none
);
CREATE UNIQUE INDEX one_open_swap ON swaps (state) WHERE state = 'open';
CREATE INDEX swaps_by_kind ON swaps (kind, request_id);
-- Thousands of tasks may begin conversations between two swaps of accounts.
CREATE INDEX swaps_of_accounts ON swaps (id, request_id) WHERE kind != 'fresh';

CREATE TABLE moves (            -- account-switcher
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    swap          INTEGER NOT NULL REFERENCES swaps (id),
    session       TEXT NOT NULL,
    state         TEXT NOT NULL,              -- failover/core/move.py
    body          TEXT NOT NULL
);
CREATE INDEX moves_by_swap ON moves (swap);
CREATE INDEX moves_by_session ON moves (session);

CREATE TABLE journal (          -- account-switcher: each step, written before it is done
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    move          INTEGER NOT NULL REFERENCES moves (id),
    at_ms         INTEGER NOT NULL,
    was           TEXT NOT NULL,
    state         TEXT NOT NULL,
    why           TEXT NOT NULL
);
CREATE INDEX journal_by_move ON journal (move);

CREATE TABLE holds (            -- account-switcher: conversations that may not pass their next boundary
    conversation  TEXT PRIMARY KEY,
    move          INTEGER NOT NULL,
    pid           INTEGER NOT NULL,           -- the holder; a hold whose holder is dead is void
    start         INTEGER NOT NULL,
    until_mono    REAL NOT NULL
);

CREATE TABLE tasks (            -- dispatcher
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL,
    project       TEXT NOT NULL,
    state         TEXT NOT NULL,              -- queued | delivering | running | done | failed
    priority      INTEGER NOT NULL DEFAULT 0,
    attempt       INTEGER NOT NULL DEFAULT 0,
    max_attempts  INTEGER NOT NULL DEFAULT 3,
    queued_ms     INTEGER NOT NULL,
    started_ms    INTEGER NOT NULL DEFAULT 0,
    finished_ms   INTEGER NOT NULL DEFAULT 0,
    pin           TEXT NOT NULL DEFAULT '',   -- the only session that may do it
    body          TEXT NOT NULL               -- the rest (failover/core/dispatch.py)
);
CREATE UNIQUE INDEX one_open_task ON tasks (project, name) WHERE state IN ('queued', 'delivering', 'running');
CREATE INDEX handed_tasks ON tasks (project) WHERE state IN ('delivering', 'running');
-- The next task of a project, and of all projects, without reading those behind it.
CREATE INDEX queued_tasks ON tasks (project, pin, priority DESC, queued_ms, id) WHERE state = 'queued';
CREATE INDEX ranked_tasks ON tasks (pin, priority DESC, queued_ms, id, project) WHERE state = 'queued';

CREATE TABLE fresh_requests (   -- dispatcher: start a session anew, in a conversation of a task's own
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    task          INTEGER NOT NULL,
    session       TEXT NOT NULL,
    launch        TEXT NOT NULL,              -- as it was when this was asked: void once it was started anew
    conversation  TEXT NOT NULL,              -- the new one
    cwd           TEXT NOT NULL,
    prompt        TEXT NOT NULL
);

CREATE TABLE checkpoints (      -- checkpoint
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    session       TEXT NOT NULL,
    conversation  TEXT NOT NULL,
    at_ms         INTEGER NOT NULL,
    occasion      TEXT NOT NULL,
    body          TEXT NOT NULL
);
CREATE INDEX checkpoints_by_session ON checkpoints (session, id);

CREATE TABLE sinks (            -- notifier: each sink of the configuration
    name          TEXT PRIMARY KEY,
    came_to       INTEGER NOT NULL,           -- the last event that was looked at for it
    told          INTEGER NOT NULL DEFAULT 0, -- the last event that it was told of, and when
    told_ms       INTEGER NOT NULL DEFAULT 0,
    failures      INTEGER NOT NULL DEFAULT 0, -- in a row
    failing_ms    INTEGER NOT NULL DEFAULT 0, -- since when
    reported      INTEGER NOT NULL DEFAULT 0, -- 1: the others were told that it fails
    error         TEXT NOT NULL DEFAULT '',   -- what it answered last, where that was no yes
    due_mono      REAL NOT NULL DEFAULT 0,    -- not tried again before
    host_boot     TEXT NOT NULL DEFAULT '',   -- of due_mono
    recent        TEXT NOT NULL DEFAULT '[]', -- when it was sent something lately (failover/core/posting.py)
    dropped       INTEGER NOT NULL DEFAULT 0, -- notices given up since it was told last, and since when they waited
    dropped_ms    INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE outbox (           -- notifier: notices that a sink is still to be told, in order
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    sink          TEXT NOT NULL,
    event         INTEGER NOT NULL,
    at_ms         INTEGER NOT NULL,           -- of the event
    since_ms      INTEGER NOT NULL,           -- since when it waits here
    type          TEXT NOT NULL,
    severity      TEXT NOT NULL,
    text          TEXT NOT NULL,
    about         TEXT NOT NULL,              -- failover/core/routing.py
    held          INTEGER NOT NULL DEFAULT 0, -- 1: came into quiet hours
    parcel        INTEGER NOT NULL DEFAULT 0  -- the last id of those that it is sent together with; 0: not decided
);
CREATE INDEX outbox_by_sink ON outbox (sink, id);

CREATE TABLE folds (            -- notifier: what happens over and over (failover/core/folding.py)
    name          TEXT PRIMARY KEY,
    since_ms      INTEGER NOT NULL,
    until_ms      INTEGER NOT NULL,
    count         INTEGER NOT NULL,
    event         INTEGER NOT NULL,
    settling      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE totals (           -- control-plane: what counters and histograms came to (failover/store/totals.py)
    name          TEXT NOT NULL,              -- with labels: of the series; both empty: the last event that is counted
    labels        TEXT NOT NULL,              -- values, as JSON
    value         TEXT NOT NULL,
    PRIMARY KEY (name, labels)
) WITHOUT ROWID;

CREATE TABLE logins (           -- quota-monitor: what the last look at each login found
    account       TEXT PRIMARY KEY,
    expires_at    INTEGER NOT NULL            -- epoch seconds
) WITHOUT ROWID;
