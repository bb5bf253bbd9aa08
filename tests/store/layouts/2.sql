BEGIN TRANSACTION;
CREATE TABLE activities (       -- control-plane: the fold of a session's hooks (failover/core/session.py)
    session       TEXT PRIMARY KEY,
    launch        TEXT NOT NULL,
    conversation  TEXT NOT NULL,
    last_call     INTEGER NOT NULL,
    boot          TEXT NOT NULL,              -- of the control plane that holds the connection, when held
    body          TEXT NOT NULL
);
INSERT INTO "activities" VALUES('one','e19381bdf9be','faae1021-b83a-419a-b56d-1d8bac6966ca',43,'39be9c81a482caa0','{"launch":"e19381bdf9be","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","turn":false,"agents":[],"undelivered":[],"background":0,"gap":false,"unheard":false,"held":0,"held_hook":"","held_prompt":"","failure":"","asking":false,"ended":false,"last_call":43,"last_hook":"Stop","tool":"","tool_input":"","tool_open":false,"message":"Answer to text 3 with 3 results: words 4 to one"}');
INSERT INTO "activities" VALUES('two','993683aae0bf','60ceefb9-e8f0-444b-b667-6346bf9033c5',44,'39be9c81a482caa0','{"launch":"993683aae0bf","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","turn":false,"agents":[],"undelivered":[],"background":0,"gap":false,"unheard":false,"held":0,"held_hook":"","held_prompt":"","failure":"","asking":false,"ended":false,"last_call":44,"last_hook":"Stop","tool":"","tool_input":"","tool_open":false,"message":"Answer to text 3 with 3 results: words 5 to two"}');
INSERT INTO "activities" VALUES('three','b97209a155cc','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',46,'39be9c81a482caa0','{"launch":"b97209a155cc","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","turn":false,"agents":[],"undelivered":[],"background":0,"gap":false,"unheard":false,"held":0,"held_hook":"","held_prompt":"","failure":"","asking":false,"ended":true,"last_call":46,"last_hook":"SessionEnd","tool":"","tool_input":"","tool_open":false,"message":"Answer to text 3 with 3 results: words 6 to three"}');
CREATE TABLE charged (          -- quota-monitor: how far each conversation's cost was counted
    conversation  TEXT PRIMARY KEY,
    total         REAL NOT NULL,              -- US dollars, over all accounts that it ran on
    at_ms         INTEGER NOT NULL
);
CREATE TABLE checkpoints (      -- checkpoint
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    session       TEXT NOT NULL,
    conversation  TEXT NOT NULL,
    at_ms         INTEGER NOT NULL,
    occasion      TEXT NOT NULL,
    body          TEXT NOT NULL
);
INSERT INTO "checkpoints" VALUES(1,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669951093,'first seen','{"state":"unknown","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":0,"git":null,"task":null,"tool":null,"context_tokens":null,"recache_tokens":null,"prompt":""}');
INSERT INTO "checkpoints" VALUES(2,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669951098,'is starting','{"state":"starting","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":0,"git":null,"task":null,"tool":null,"context_tokens":null,"recache_tokens":null,"prompt":""}');
INSERT INTO "checkpoints" VALUES(3,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669951098,'first seen','{"state":"starting","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":0,"git":null,"task":null,"tool":null,"context_tokens":null,"recache_tokens":null,"prompt":""}');
INSERT INTO "checkpoints" VALUES(4,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669951182,'first seen','{"state":"starting","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":0,"git":null,"task":null,"tool":null,"context_tokens":null,"recache_tokens":null,"prompt":""}');
INSERT INTO "checkpoints" VALUES(5,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669951856,'SessionStart','{"state":"starting","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":1,"git":null,"task":null,"tool":null,"context_tokens":null,"recache_tokens":null,"prompt":""}');
INSERT INTO "checkpoints" VALUES(6,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669951877,'SessionStart','{"state":"starting","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":2,"git":null,"task":null,"tool":null,"context_tokens":null,"recache_tokens":null,"prompt":""}');
INSERT INTO "checkpoints" VALUES(7,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669951877,'is idle','{"state":"idle","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":1,"git":null,"task":null,"tool":null,"context_tokens":null,"recache_tokens":null,"prompt":""}');
INSERT INTO "checkpoints" VALUES(8,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669951896,'SessionStart','{"state":"starting","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":3,"git":null,"task":null,"tool":null,"context_tokens":null,"recache_tokens":null,"prompt":""}');
INSERT INTO "checkpoints" VALUES(9,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669951923,'is idle','{"state":"idle","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":2,"git":null,"task":null,"tool":null,"context_tokens":null,"recache_tokens":null,"prompt":""}');
INSERT INTO "checkpoints" VALUES(10,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669951923,'is idle','{"state":"idle","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":3,"git":null,"task":null,"tool":null,"context_tokens":null,"recache_tokens":null,"prompt":""}');
INSERT INTO "checkpoints" VALUES(11,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669952034,'is working','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":2,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(12,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669952071,'UserPromptSubmit','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":4,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":"words 1 to one"}');
INSERT INTO "checkpoints" VALUES(13,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669952117,'is working','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":1,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(14,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669952158,'UserPromptSubmit','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":5,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":"words 2 to two"}');
INSERT INTO "checkpoints" VALUES(15,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669952210,'is working','{"state":"working","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":3,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(16,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669952217,'Stop','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":6,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(17,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669952252,'is idle','{"state":"idle","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":6,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(18,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669952256,'UserPromptSubmit','{"state":"working","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":7,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":"words 3 to three"}');
INSERT INTO "checkpoints" VALUES(19,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669952311,'Stop','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":8,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(20,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669952335,'is idle','{"state":"idle","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":8,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(21,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669952420,'Stop','{"state":"working","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":9,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(22,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669952446,'is idle','{"state":"idle","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":9,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(23,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669952795,'is working','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":6,"git":null,"task":{"task":1,"name":"build","attempt":1},"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(24,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669952813,'is working','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":8,"git":null,"task":{"task":2,"name":"lint","attempt":1},"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(25,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669952837,'is working','{"state":"working","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":9,"git":null,"task":{"task":3,"name":"ship","attempt":1},"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(26,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669952848,'UserPromptSubmit','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":10,"git":null,"task":{"task":1,"name":"build","attempt":1},"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":"[task 1, attempt 1] Read the file \"/home/op/projects/app/.agent-queue/inbox/build.md\" and carry out what it says; leave the file there."}');
INSERT INTO "checkpoints" VALUES(27,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669952878,'UserPromptSubmit','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":11,"git":null,"task":{"task":2,"name":"lint","attempt":1},"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":"[task 2, attempt 1] Read the file \"/home/op/projects/app/.agent-queue/inbox/lint.md\" and carry out what it says; leave the file there."}');
INSERT INTO "checkpoints" VALUES(28,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669952978,'UserPromptSubmit','{"state":"working","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":14,"git":null,"task":{"task":3,"name":"ship","attempt":1},"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":"[task 3, attempt 1] Read the file \"/home/op/projects/site/.agent-queue/inbox/ship.md\" and carry out what it says; leave the file there."}');
INSERT INTO "checkpoints" VALUES(29,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669953018,'PostToolBatch','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":15,"git":null,"task":{"task":1,"name":"build","attempt":1},"tool":{"name":"Bash","input":"cat /home/op/projects/app/.agent-queue/inbox/build.md","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":"[task 1, attempt 1] Read the file \"/home/op/projects/app/.agent-queue/inbox/build.md\" and carry out what it says; leave the file there."}');
INSERT INTO "checkpoints" VALUES(30,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669953022,'PostToolBatch','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":16,"git":null,"task":{"task":2,"name":"lint","attempt":1},"tool":{"name":"Bash","input":"cat /home/op/projects/app/.agent-queue/inbox/lint.md","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":"[task 2, attempt 1] Read the file \"/home/op/projects/app/.agent-queue/inbox/lint.md\" and carry out what it says; leave the file there."}');
INSERT INTO "checkpoints" VALUES(31,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669953118,'PostToolBatch','{"state":"working","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":20,"git":null,"task":{"task":3,"name":"ship","attempt":1},"tool":{"name":"Bash","input":"cat /home/op/projects/site/.agent-queue/inbox/ship.md","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":"[task 3, attempt 1] Read the file \"/home/op/projects/site/.agent-queue/inbox/ship.md\" and carry out what it says; leave the file there."}');
INSERT INTO "checkpoints" VALUES(32,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669953328,'PostToolBatch','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":22,"git":null,"task":{"task":2,"name":"lint","attempt":1},"tool":{"name":"Bash","input":"/home/op/step lint 1 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":"[task 2, attempt 1] Read the file \"/home/op/projects/app/.agent-queue/inbox/lint.md\" and carry out what it says; leave the file there."}');
INSERT INTO "checkpoints" VALUES(33,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669953339,'PostToolBatch','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":23,"git":null,"task":{"task":1,"name":"build","attempt":1},"tool":{"name":"Bash","input":"/home/op/step build 1 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":"[task 1, attempt 1] Read the file \"/home/op/projects/app/.agent-queue/inbox/build.md\" and carry out what it says; leave the file there."}');
INSERT INTO "checkpoints" VALUES(34,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669953377,'PostToolBatch','{"state":"working","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":25,"git":null,"task":{"task":3,"name":"ship","attempt":1},"tool":{"name":"Bash","input":"/home/op/step ship 1 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":"[task 3, attempt 1] Read the file \"/home/op/projects/site/.agent-queue/inbox/ship.md\" and carry out what it says; leave the file there."}');
INSERT INTO "checkpoints" VALUES(35,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669953623,'PostToolBatch','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":28,"git":null,"task":{"task":2,"name":"lint","attempt":1},"tool":{"name":"Bash","input":"/home/op/step lint 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":"[task 2, attempt 1] Read the file \"/home/op/projects/app/.agent-queue/inbox/lint.md\" and carry out what it says; leave the file there."}');
INSERT INTO "checkpoints" VALUES(36,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669953647,'Stop','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":29,"git":null,"task":{"task":2,"name":"lint","attempt":1},"tool":{"name":"Bash","input":"/home/op/step lint 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(37,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669953651,'PostToolBatch','{"state":"working","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":30,"git":null,"task":{"task":3,"name":"ship","attempt":1},"tool":{"name":"Bash","input":"/home/op/step ship 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":"[task 3, attempt 1] Read the file \"/home/op/projects/site/.agent-queue/inbox/ship.md\" and carry out what it says; leave the file there."}');
INSERT INTO "checkpoints" VALUES(38,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669953670,'PostToolBatch','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":31,"git":null,"task":{"task":1,"name":"build","attempt":1},"tool":{"name":"Bash","input":"/home/op/step build 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":"[task 1, attempt 1] Read the file \"/home/op/projects/app/.agent-queue/inbox/build.md\" and carry out what it says; leave the file there."}');
INSERT INTO "checkpoints" VALUES(39,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669953671,'is idle','{"state":"idle","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":29,"git":null,"task":null,"tool":{"name":"Bash","input":"/home/op/step lint 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(40,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669953716,'Stop','{"state":"working","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":32,"git":null,"task":{"task":1,"name":"build","attempt":1},"tool":{"name":"Bash","input":"/home/op/step build 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(41,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669953728,'is idle','{"state":"idle","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":32,"git":null,"task":null,"tool":{"name":"Bash","input":"/home/op/step build 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(42,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669953741,'Stop','{"state":"working","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":33,"git":null,"task":{"task":3,"name":"ship","attempt":1},"tool":{"name":"Bash","input":"/home/op/step ship 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(43,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669953758,'is idle','{"state":"idle","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":33,"git":null,"task":null,"tool":{"name":"Bash","input":"/home/op/step ship 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(44,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669954403,'is moving','{"state":"moving","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":32,"git":null,"task":null,"tool":{"name":"Bash","input":"/home/op/step build 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(45,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669954413,'is moving','{"state":"moving","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":33,"git":null,"task":null,"tool":{"name":"Bash","input":"/home/op/step ship 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(46,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669954469,'SessionEnd','{"state":"moving","account":"main","cwd":"/home/op/projects/site","launch":"2199775fae00","call":34,"git":null,"task":null,"tool":{"name":"Bash","input":"/home/op/step ship 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(47,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669954482,'SessionEnd','{"state":"moving","account":"main","cwd":"/home/op/projects/app","launch":"2614c4865b87","call":35,"git":null,"task":null,"tool":{"name":"Bash","input":"/home/op/step build 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(48,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669954589,'started anew','{"state":"moving","account":"backup","cwd":"/home/op/projects/site","launch":"b97209a155cc","call":34,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(49,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669954667,'started anew','{"state":"moving","account":"backup","cwd":"/home/op/projects/app","launch":"e19381bdf9be","call":35,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(50,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669954836,'SessionStart','{"state":"moving","account":"backup","cwd":"/home/op/projects/site","launch":"b97209a155cc","call":36,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(51,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669954840,'SessionStart','{"state":"moving","account":"backup","cwd":"/home/op/projects/app","launch":"e19381bdf9be","call":37,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(52,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669954846,'is idle','{"state":"idle","account":"backup","cwd":"/home/op/projects/app","launch":"e19381bdf9be","call":37,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(53,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669954846,'is idle','{"state":"idle","account":"backup","cwd":"/home/op/projects/site","launch":"b97209a155cc","call":36,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(54,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669954910,'is moving','{"state":"moving","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":29,"git":null,"task":null,"tool":{"name":"Bash","input":"/home/op/step lint 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(55,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669954923,'SessionEnd','{"state":"moving","account":"main","cwd":"/home/op/projects/app","launch":"a5fa5296c98f","call":38,"git":null,"task":null,"tool":{"name":"Bash","input":"/home/op/step lint 2 0.2","outcome":"known"},"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(56,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669955003,'started anew','{"state":"moving","account":"backup","cwd":"/home/op/projects/app","launch":"993683aae0bf","call":38,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(57,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669955081,'SessionStart','{"state":"moving","account":"backup","cwd":"/home/op/projects/app","launch":"993683aae0bf","call":39,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(58,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669955114,'is idle','{"state":"idle","account":"backup","cwd":"/home/op/projects/app","launch":"993683aae0bf","call":39,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(59,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669955448,'is working','{"state":"working","account":"backup","cwd":"/home/op/projects/app","launch":"e19381bdf9be","call":37,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(60,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669955498,'is working','{"state":"working","account":"backup","cwd":"/home/op/projects/app","launch":"993683aae0bf","call":39,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(61,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669955513,'is working','{"state":"working","account":"backup","cwd":"/home/op/projects/site","launch":"b97209a155cc","call":36,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(62,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669955528,'UserPromptSubmit','{"state":"working","account":"backup","cwd":"/home/op/projects/app","launch":"e19381bdf9be","call":40,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":"words 4 to one"}');
INSERT INTO "checkpoints" VALUES(63,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669955558,'UserPromptSubmit','{"state":"working","account":"backup","cwd":"/home/op/projects/site","launch":"b97209a155cc","call":41,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":"words 6 to three"}');
INSERT INTO "checkpoints" VALUES(64,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669955583,'UserPromptSubmit','{"state":"working","account":"backup","cwd":"/home/op/projects/app","launch":"993683aae0bf","call":42,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":"words 5 to two"}');
INSERT INTO "checkpoints" VALUES(65,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669955648,'Stop','{"state":"working","account":"backup","cwd":"/home/op/projects/app","launch":"e19381bdf9be","call":43,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(66,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669955670,'Stop','{"state":"working","account":"backup","cwd":"/home/op/projects/app","launch":"993683aae0bf","call":44,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(67,'one','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669955674,'is idle','{"state":"idle","account":"backup","cwd":"/home/op/projects/app","launch":"e19381bdf9be","call":43,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(68,'two','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669955674,'is idle','{"state":"idle","account":"backup","cwd":"/home/op/projects/app","launch":"993683aae0bf","call":44,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(69,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669955701,'Stop','{"state":"working","account":"backup","cwd":"/home/op/projects/site","launch":"b97209a155cc","call":45,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(70,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669955728,'is idle','{"state":"idle","account":"backup","cwd":"/home/op/projects/site","launch":"b97209a155cc","call":45,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(71,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669956806,'is moving','{"state":"moving","account":"backup","cwd":"/home/op/projects/site","launch":"b97209a155cc","call":45,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(72,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669956825,'SessionEnd','{"state":"moving","account":"backup","cwd":"/home/op/projects/site","launch":"b97209a155cc","call":46,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
INSERT INTO "checkpoints" VALUES(73,'three','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669956960,'started anew','{"state":"stopped","account":"backup","cwd":"/home/op/projects/site","launch":"","call":46,"git":null,"task":null,"tool":null,"context_tokens":2100,"recache_tokens":2100,"prompt":""}');
CREATE TABLE costs (            -- quota-monitor: what a percent point of a window costs (failover/core/cost.py)
    account       TEXT NOT NULL,
    window        TEXT NOT NULL,
    tokens        REAL NOT NULL,
    points        REAL NOT NULL,
    PRIMARY KEY (account, window)
) WITHOUT ROWID;
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
INSERT INTO "decisions" VALUES(1,1795669949435,1795669949435,'stay','','','every account in use is below its thresholds','[["main","possible","main has no reading, so nothing speaks against it"],["backup","possible","backup has no reading, so nothing speaks against it"]]');
INSERT INTO "decisions" VALUES(2,1795669951091,1795669951091,'stay','','','every account in use is below its thresholds','[["main","kept","main has no reading, so nothing speaks against it"],["backup","possible","backup has no reading, so nothing speaks against it"]]');
INSERT INTO "decisions" VALUES(3,1795669955136,1795669955136,'stay','','','every account in use is below its thresholds','[["main","possible","main has five_hour 41 %, seven_day 5 %"],["backup","kept","backup has no reading, so nothing speaks against it"]]');
INSERT INTO "decisions" VALUES(4,1795669956370,1795669956370,'stay','','','every account in use is below its thresholds','[["main","refused","main is disabled"],["backup","kept","backup has five_hour 7 %, seven_day 5 %"]]');
CREATE TABLE events (           -- every role, its own events, in the transaction that they report
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms   INTEGER NOT NULL,
    source  TEXT NOT NULL,
    boot    TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    type    TEXT NOT NULL,
    body    TEXT NOT NULL
);
INSERT INTO "events" VALUES(1,1795669949247,'session-watcher','1a7c8f1ee0fbd23a',1,'role.started','{"type":"role.started","role":"session-watcher","pid":31221}');
INSERT INTO "events" VALUES(2,1795669949289,'bus','1920f4334af5d380',1,'role.started','{"type":"role.started","role":"bus","pid":31197}');
INSERT INTO "events" VALUES(3,1795669949424,'checkpoint','1d7664411d3e3a5e',1,'role.started','{"type":"role.started","role":"checkpoint","pid":31201}');
INSERT INTO "events" VALUES(4,1795669949434,'quota-monitor','21eb3a1c3a780e40',1,'role.started','{"type":"role.started","role":"quota-monitor","pid":31218}');
INSERT INTO "events" VALUES(5,1795669949777,'janitor','7a80d88fb9526943',1,'role.started','{"type":"role.started","role":"janitor","pid":31209}');
INSERT INTO "events" VALUES(6,1795669949810,'account-switcher','131fdcc5b74ac752',1,'role.started','{"type":"role.started","role":"account-switcher","pid":31198}');
INSERT INTO "events" VALUES(7,1795669949929,'dispatcher','4863a6eea9c85a63',1,'role.started','{"type":"role.started","role":"dispatcher","pid":31206}');
INSERT INTO "events" VALUES(8,1795669949948,'notifier','ffb24998e51360ba',1,'role.started','{"type":"role.started","role":"notifier","pid":31210}');
INSERT INTO "events" VALUES(9,1795669949965,'control-plane','39be9c81a482caa0',1,'role.started','{"type":"role.started","role":"control-plane","pid":31202}');
INSERT INTO "events" VALUES(10,1795669951008,'control-plane','39be9c81a482caa0',2,'operator.order-placed','{"type":"operator.order-placed","order":1,"verb":"launch"}');
INSERT INTO "events" VALUES(11,1795669951079,'account-switcher','131fdcc5b74ac752',2,'session.launched','{"type":"session.launched","session":"one","account":"main","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","pid":31678}');
INSERT INTO "events" VALUES(12,1795669951093,'session-watcher','1a7c8f1ee0fbd23a',2,'session.changed','{"type":"session.changed","session":"one","state":"starting","was":"unknown","account":"main"}');
INSERT INTO "events" VALUES(13,1795669951093,'session-watcher','1a7c8f1ee0fbd23a',3,'session.changed','{"type":"session.changed","session":"two","state":"starting","was":"unknown","account":"main"}');
INSERT INTO "events" VALUES(14,1795669951093,'checkpoint','1d7664411d3e3a5e',2,'checkpoint.written','{"type":"checkpoint.written","checkpoint":1,"session":"one","occasion":"first seen"}');
INSERT INTO "events" VALUES(15,1795669951098,'checkpoint','1d7664411d3e3a5e',3,'checkpoint.written','{"type":"checkpoint.written","checkpoint":2,"session":"one","occasion":"is starting"}');
INSERT INTO "events" VALUES(16,1795669951098,'checkpoint','1d7664411d3e3a5e',4,'checkpoint.written','{"type":"checkpoint.written","checkpoint":3,"session":"two","occasion":"first seen"}');
INSERT INTO "events" VALUES(17,1795669951174,'account-switcher','131fdcc5b74ac752',3,'session.launched','{"type":"session.launched","session":"two","account":"main","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","pid":31707}');
INSERT INTO "events" VALUES(18,1795669951176,'session-watcher','1a7c8f1ee0fbd23a',4,'session.changed','{"type":"session.changed","session":"three","state":"starting","was":"unknown","account":"main"}');
INSERT INTO "events" VALUES(19,1795669951182,'checkpoint','1d7664411d3e3a5e',5,'checkpoint.written','{"type":"checkpoint.written","checkpoint":4,"session":"three","occasion":"first seen"}');
INSERT INTO "events" VALUES(20,1795669951201,'account-switcher','131fdcc5b74ac752',4,'session.launched','{"type":"session.launched","session":"three","account":"main","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","pid":31717}');
INSERT INTO "events" VALUES(21,1795669951204,'account-switcher','131fdcc5b74ac752',5,'operator.order-done','{"type":"operator.order-done","order":1,"outcome":"done","sentence":"started 3 sessions"}');
INSERT INTO "events" VALUES(22,1795669951855,'control-plane','39be9c81a482caa0',3,'hook.received','{"type":"hook.received","call":1,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"SessionStart","held":false}');
INSERT INTO "events" VALUES(23,1795669951856,'checkpoint','1d7664411d3e3a5e',6,'checkpoint.written','{"type":"checkpoint.written","checkpoint":5,"session":"two","occasion":"SessionStart"}');
INSERT INTO "events" VALUES(24,1795669951875,'control-plane','39be9c81a482caa0',4,'hook.received','{"type":"hook.received","call":2,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"SessionStart","held":false}');
INSERT INTO "events" VALUES(25,1795669951877,'session-watcher','1a7c8f1ee0fbd23a',5,'session.changed','{"type":"session.changed","session":"two","state":"idle","was":"starting","account":"main"}');
INSERT INTO "events" VALUES(26,1795669951877,'checkpoint','1d7664411d3e3a5e',7,'checkpoint.written','{"type":"checkpoint.written","checkpoint":6,"session":"one","occasion":"SessionStart"}');
INSERT INTO "events" VALUES(27,1795669951877,'checkpoint','1d7664411d3e3a5e',8,'checkpoint.written','{"type":"checkpoint.written","checkpoint":7,"session":"two","occasion":"is idle"}');
INSERT INTO "events" VALUES(28,1795669951893,'control-plane','39be9c81a482caa0',5,'hook.received','{"type":"hook.received","call":3,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"SessionStart","held":false}');
INSERT INTO "events" VALUES(29,1795669951896,'checkpoint','1d7664411d3e3a5e',9,'checkpoint.written','{"type":"checkpoint.written","checkpoint":8,"session":"three","occasion":"SessionStart"}');
INSERT INTO "events" VALUES(30,1795669951917,'session-watcher','1a7c8f1ee0fbd23a',6,'session.changed','{"type":"session.changed","session":"one","state":"idle","was":"starting","account":"main"}');
INSERT INTO "events" VALUES(31,1795669951917,'session-watcher','1a7c8f1ee0fbd23a',7,'session.changed','{"type":"session.changed","session":"three","state":"idle","was":"starting","account":"main"}');
INSERT INTO "events" VALUES(32,1795669951923,'checkpoint','1d7664411d3e3a5e',10,'checkpoint.written','{"type":"checkpoint.written","checkpoint":9,"session":"one","occasion":"is idle"}');
INSERT INTO "events" VALUES(33,1795669951923,'checkpoint','1d7664411d3e3a5e',11,'checkpoint.written','{"type":"checkpoint.written","checkpoint":10,"session":"three","occasion":"is idle"}');
INSERT INTO "events" VALUES(34,1795669951930,'control-plane','39be9c81a482caa0',6,'usage.pushed','{"type":"usage.pushed","session":"one","account":"main"}');
INSERT INTO "events" VALUES(35,1795669951947,'control-plane','39be9c81a482caa0',7,'usage.pushed','{"type":"usage.pushed","session":"two","account":"main"}');
INSERT INTO "events" VALUES(36,1795669951957,'control-plane','39be9c81a482caa0',8,'usage.pushed','{"type":"usage.pushed","session":"three","account":"main"}');
INSERT INTO "events" VALUES(37,1795669952033,'session-watcher','1a7c8f1ee0fbd23a',8,'session.changed','{"type":"session.changed","session":"one","state":"working","was":"idle","account":"main"}');
INSERT INTO "events" VALUES(38,1795669952034,'checkpoint','1d7664411d3e3a5e',12,'checkpoint.written','{"type":"checkpoint.written","checkpoint":11,"session":"one","occasion":"is working"}');
INSERT INTO "events" VALUES(39,1795669952069,'control-plane','39be9c81a482caa0',9,'hook.received','{"type":"hook.received","call":4,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"UserPromptSubmit","held":false}');
INSERT INTO "events" VALUES(40,1795669952072,'checkpoint','1d7664411d3e3a5e',13,'checkpoint.written','{"type":"checkpoint.written","checkpoint":12,"session":"one","occasion":"UserPromptSubmit"}');
INSERT INTO "events" VALUES(41,1795669952112,'session-watcher','1a7c8f1ee0fbd23a',9,'session.changed','{"type":"session.changed","session":"two","state":"working","was":"idle","account":"main"}');
INSERT INTO "events" VALUES(42,1795669952117,'checkpoint','1d7664411d3e3a5e',14,'checkpoint.written','{"type":"checkpoint.written","checkpoint":13,"session":"two","occasion":"is working"}');
INSERT INTO "events" VALUES(43,1795669952156,'control-plane','39be9c81a482caa0',10,'hook.received','{"type":"hook.received","call":5,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"UserPromptSubmit","held":false}');
INSERT INTO "events" VALUES(44,1795669952158,'checkpoint','1d7664411d3e3a5e',15,'checkpoint.written','{"type":"checkpoint.written","checkpoint":14,"session":"two","occasion":"UserPromptSubmit"}');
INSERT INTO "events" VALUES(45,1795669952205,'session-watcher','1a7c8f1ee0fbd23a',10,'session.changed','{"type":"session.changed","session":"three","state":"working","was":"idle","account":"main"}');
INSERT INTO "events" VALUES(46,1795669952210,'checkpoint','1d7664411d3e3a5e',16,'checkpoint.written','{"type":"checkpoint.written","checkpoint":15,"session":"three","occasion":"is working"}');
INSERT INTO "events" VALUES(47,1795669952216,'control-plane','39be9c81a482caa0',11,'hook.received','{"type":"hook.received","call":6,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"Stop","held":false}');
INSERT INTO "events" VALUES(48,1795669952217,'checkpoint','1d7664411d3e3a5e',17,'checkpoint.written','{"type":"checkpoint.written","checkpoint":16,"session":"one","occasion":"Stop"}');
INSERT INTO "events" VALUES(49,1795669952247,'session-watcher','1a7c8f1ee0fbd23a',11,'session.changed','{"type":"session.changed","session":"one","state":"idle","was":"working","account":"main"}');
INSERT INTO "events" VALUES(50,1795669952252,'checkpoint','1d7664411d3e3a5e',18,'checkpoint.written','{"type":"checkpoint.written","checkpoint":17,"session":"one","occasion":"is idle"}');
INSERT INTO "events" VALUES(51,1795669952253,'control-plane','39be9c81a482caa0',12,'hook.received','{"type":"hook.received","call":7,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"UserPromptSubmit","held":false}');
INSERT INTO "events" VALUES(52,1795669952256,'checkpoint','1d7664411d3e3a5e',19,'checkpoint.written','{"type":"checkpoint.written","checkpoint":18,"session":"three","occasion":"UserPromptSubmit"}');
INSERT INTO "events" VALUES(53,1795669952308,'control-plane','39be9c81a482caa0',13,'hook.received','{"type":"hook.received","call":8,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"Stop","held":false}');
INSERT INTO "events" VALUES(54,1795669952311,'checkpoint','1d7664411d3e3a5e',20,'checkpoint.written','{"type":"checkpoint.written","checkpoint":19,"session":"two","occasion":"Stop"}');
INSERT INTO "events" VALUES(55,1795669952319,'control-plane','39be9c81a482caa0',14,'usage.pushed','{"type":"usage.pushed","session":"one","account":"main"}');
INSERT INTO "events" VALUES(56,1795669952320,'quota-monitor','21eb3a1c3a780e40',2,'usage.read','{"type":"usage.read","account":"main","window":"five_hour","used":41.0,"resets_at":1795673545,"source":"statusline"}');
INSERT INTO "events" VALUES(57,1795669952320,'quota-monitor','21eb3a1c3a780e40',3,'usage.read','{"type":"usage.read","account":"main","window":"seven_day","used":5.0,"resets_at":1795969945,"source":"statusline"}');
INSERT INTO "events" VALUES(58,1795669952330,'session-watcher','1a7c8f1ee0fbd23a',12,'session.changed','{"type":"session.changed","session":"two","state":"idle","was":"working","account":"main"}');
INSERT INTO "events" VALUES(59,1795669952335,'checkpoint','1d7664411d3e3a5e',21,'checkpoint.written','{"type":"checkpoint.written","checkpoint":20,"session":"two","occasion":"is idle"}');
INSERT INTO "events" VALUES(60,1795669952337,'control-plane','39be9c81a482caa0',15,'usage.pushed','{"type":"usage.pushed","session":"three","account":"main"}');
INSERT INTO "events" VALUES(61,1795669952348,'control-plane','39be9c81a482caa0',16,'usage.pushed','{"type":"usage.pushed","session":"two","account":"main"}');
INSERT INTO "events" VALUES(62,1795669952419,'control-plane','39be9c81a482caa0',17,'hook.received','{"type":"hook.received","call":9,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"Stop","held":false}');
INSERT INTO "events" VALUES(63,1795669952420,'checkpoint','1d7664411d3e3a5e',22,'checkpoint.written','{"type":"checkpoint.written","checkpoint":21,"session":"three","occasion":"Stop"}');
INSERT INTO "events" VALUES(64,1795669952441,'session-watcher','1a7c8f1ee0fbd23a',13,'session.changed','{"type":"session.changed","session":"three","state":"idle","was":"working","account":"main"}');
INSERT INTO "events" VALUES(65,1795669952446,'checkpoint','1d7664411d3e3a5e',23,'checkpoint.written','{"type":"checkpoint.written","checkpoint":22,"session":"three","occasion":"is idle"}');
INSERT INTO "events" VALUES(66,1795669952729,'control-plane','39be9c81a482caa0',18,'usage.pushed','{"type":"usage.pushed","session":"two","account":"main"}');
INSERT INTO "events" VALUES(67,1795669952732,'dispatcher','4863a6eea9c85a63',2,'task.queued','{"type":"task.queued","task":1,"name":"build","project":"/home/op/projects/app"}');
INSERT INTO "events" VALUES(68,1795669952732,'dispatcher','4863a6eea9c85a63',3,'task.queued','{"type":"task.queued","task":2,"name":"lint","project":"/home/op/projects/app"}');
INSERT INTO "events" VALUES(69,1795669952736,'dispatcher','4863a6eea9c85a63',4,'task.queued','{"type":"task.queued","task":3,"name":"ship","project":"/home/op/projects/site"}');
INSERT INTO "events" VALUES(70,1795669952740,'control-plane','39be9c81a482caa0',19,'usage.pushed','{"type":"usage.pushed","session":"three","account":"main"}');
INSERT INTO "events" VALUES(71,1795669952791,'session-watcher','1a7c8f1ee0fbd23a',14,'session.changed','{"type":"session.changed","session":"one","state":"working","was":"idle","account":"main"}');
INSERT INTO "events" VALUES(72,1795669952795,'checkpoint','1d7664411d3e3a5e',24,'checkpoint.written','{"type":"checkpoint.written","checkpoint":23,"session":"one","occasion":"is working"}');
INSERT INTO "events" VALUES(73,1795669952811,'session-watcher','1a7c8f1ee0fbd23a',15,'session.changed','{"type":"session.changed","session":"two","state":"working","was":"idle","account":"main"}');
INSERT INTO "events" VALUES(74,1795669952813,'checkpoint','1d7664411d3e3a5e',25,'checkpoint.written','{"type":"checkpoint.written","checkpoint":24,"session":"two","occasion":"is working"}');
INSERT INTO "events" VALUES(75,1795669952833,'session-watcher','1a7c8f1ee0fbd23a',16,'session.changed','{"type":"session.changed","session":"three","state":"working","was":"idle","account":"main"}');
INSERT INTO "events" VALUES(76,1795669952837,'checkpoint','1d7664411d3e3a5e',26,'checkpoint.written','{"type":"checkpoint.written","checkpoint":25,"session":"three","occasion":"is working"}');
INSERT INTO "events" VALUES(77,1795669952846,'control-plane','39be9c81a482caa0',20,'hook.received','{"type":"hook.received","call":10,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"UserPromptSubmit","held":false}');
INSERT INTO "events" VALUES(78,1795669952848,'checkpoint','1d7664411d3e3a5e',27,'checkpoint.written','{"type":"checkpoint.written","checkpoint":26,"session":"one","occasion":"UserPromptSubmit"}');
INSERT INTO "events" VALUES(79,1795669952876,'control-plane','39be9c81a482caa0',21,'hook.received','{"type":"hook.received","call":11,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"UserPromptSubmit","held":false}');
INSERT INTO "events" VALUES(80,1795669952878,'checkpoint','1d7664411d3e3a5e',28,'checkpoint.written','{"type":"checkpoint.written","checkpoint":27,"session":"two","occasion":"UserPromptSubmit"}');
INSERT INTO "events" VALUES(81,1795669952887,'dispatcher','4863a6eea9c85a63',5,'task.dispatched','{"type":"task.dispatched","task":1,"name":"build","session":"one","attempt":1}');
INSERT INTO "events" VALUES(82,1795669952889,'dispatcher','4863a6eea9c85a63',6,'task.dispatched','{"type":"task.dispatched","task":2,"name":"lint","session":"two","attempt":1}');
INSERT INTO "events" VALUES(83,1795669952923,'control-plane','39be9c81a482caa0',22,'hook.received','{"type":"hook.received","call":12,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"PreToolUse","held":false}');
INSERT INTO "events" VALUES(84,1795669952970,'control-plane','39be9c81a482caa0',23,'hook.received','{"type":"hook.received","call":13,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"PreToolUse","held":false}');
INSERT INTO "events" VALUES(85,1795669952977,'control-plane','39be9c81a482caa0',24,'hook.received','{"type":"hook.received","call":14,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"UserPromptSubmit","held":false}');
INSERT INTO "events" VALUES(86,1795669952978,'checkpoint','1d7664411d3e3a5e',29,'checkpoint.written','{"type":"checkpoint.written","checkpoint":28,"session":"three","occasion":"UserPromptSubmit"}');
INSERT INTO "events" VALUES(87,1795669952984,'dispatcher','4863a6eea9c85a63',7,'task.dispatched','{"type":"task.dispatched","task":3,"name":"ship","session":"three","attempt":1}');
INSERT INTO "events" VALUES(88,1795669953016,'control-plane','39be9c81a482caa0',25,'hook.received','{"type":"hook.received","call":15,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"PostToolBatch","held":false}');
INSERT INTO "events" VALUES(89,1795669953019,'checkpoint','1d7664411d3e3a5e',30,'checkpoint.written','{"type":"checkpoint.written","checkpoint":29,"session":"one","occasion":"PostToolBatch"}');
INSERT INTO "events" VALUES(90,1795669953022,'control-plane','39be9c81a482caa0',26,'hook.received','{"type":"hook.received","call":16,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"PostToolBatch","held":false}');
INSERT INTO "events" VALUES(91,1795669953023,'checkpoint','1d7664411d3e3a5e',31,'checkpoint.written','{"type":"checkpoint.written","checkpoint":30,"session":"two","occasion":"PostToolBatch"}');
INSERT INTO "events" VALUES(92,1795669953069,'control-plane','39be9c81a482caa0',27,'hook.received','{"type":"hook.received","call":17,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"PreToolUse","held":false}');
INSERT INTO "events" VALUES(93,1795669953078,'control-plane','39be9c81a482caa0',28,'hook.received','{"type":"hook.received","call":18,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"PreToolUse","held":false}');
INSERT INTO "events" VALUES(94,1795669953087,'control-plane','39be9c81a482caa0',29,'hook.received','{"type":"hook.received","call":19,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"PreToolUse","held":false}');
INSERT INTO "events" VALUES(95,1795669953106,'control-plane','39be9c81a482caa0',30,'usage.pushed','{"type":"usage.pushed","session":"one","account":"main"}');
INSERT INTO "events" VALUES(96,1795669953117,'control-plane','39be9c81a482caa0',31,'hook.received','{"type":"hook.received","call":20,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"PostToolBatch","held":false}');
INSERT INTO "events" VALUES(97,1795669953118,'checkpoint','1d7664411d3e3a5e',32,'checkpoint.written','{"type":"checkpoint.written","checkpoint":31,"session":"three","occasion":"PostToolBatch"}');
INSERT INTO "events" VALUES(98,1795669953139,'control-plane','39be9c81a482caa0',32,'hook.received','{"type":"hook.received","call":21,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"PreToolUse","held":false}');
INSERT INTO "events" VALUES(99,1795669953145,'control-plane','39be9c81a482caa0',33,'usage.pushed','{"type":"usage.pushed","session":"two","account":"main"}');
INSERT INTO "events" VALUES(100,1795669953154,'control-plane','39be9c81a482caa0',34,'usage.pushed','{"type":"usage.pushed","session":"three","account":"main"}');
INSERT INTO "events" VALUES(101,1795669953327,'control-plane','39be9c81a482caa0',35,'hook.received','{"type":"hook.received","call":22,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"PostToolBatch","held":false}');
INSERT INTO "events" VALUES(102,1795669953328,'checkpoint','1d7664411d3e3a5e',33,'checkpoint.written','{"type":"checkpoint.written","checkpoint":32,"session":"two","occasion":"PostToolBatch"}');
INSERT INTO "events" VALUES(103,1795669953338,'control-plane','39be9c81a482caa0',36,'hook.received','{"type":"hook.received","call":23,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"PostToolBatch","held":false}');
INSERT INTO "events" VALUES(104,1795669953340,'checkpoint','1d7664411d3e3a5e',34,'checkpoint.written','{"type":"checkpoint.written","checkpoint":33,"session":"one","occasion":"PostToolBatch"}');
INSERT INTO "events" VALUES(105,1795669953364,'control-plane','39be9c81a482caa0',37,'hook.received','{"type":"hook.received","call":24,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"PreToolUse","held":false}');
INSERT INTO "events" VALUES(106,1795669953374,'control-plane','39be9c81a482caa0',38,'hook.received','{"type":"hook.received","call":25,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"PostToolBatch","held":false}');
INSERT INTO "events" VALUES(107,1795669953377,'checkpoint','1d7664411d3e3a5e',35,'checkpoint.written','{"type":"checkpoint.written","checkpoint":34,"session":"three","occasion":"PostToolBatch"}');
INSERT INTO "events" VALUES(108,1795669953379,'control-plane','39be9c81a482caa0',39,'hook.received','{"type":"hook.received","call":26,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"PreToolUse","held":false}');
INSERT INTO "events" VALUES(109,1795669953400,'control-plane','39be9c81a482caa0',40,'hook.received','{"type":"hook.received","call":27,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"PreToolUse","held":false}');
INSERT INTO "events" VALUES(110,1795669953620,'control-plane','39be9c81a482caa0',41,'hook.received','{"type":"hook.received","call":28,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"PostToolBatch","held":false}');
INSERT INTO "events" VALUES(111,1795669953623,'checkpoint','1d7664411d3e3a5e',36,'checkpoint.written','{"type":"checkpoint.written","checkpoint":35,"session":"two","occasion":"PostToolBatch"}');
INSERT INTO "events" VALUES(112,1795669953642,'control-plane','39be9c81a482caa0',42,'hook.received','{"type":"hook.received","call":29,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"Stop","held":false}');
INSERT INTO "events" VALUES(113,1795669953644,'control-plane','39be9c81a482caa0',43,'usage.pushed','{"type":"usage.pushed","session":"two","account":"main"}');
INSERT INTO "events" VALUES(114,1795669953647,'control-plane','39be9c81a482caa0',44,'hook.received','{"type":"hook.received","call":30,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"PostToolBatch","held":false}');
INSERT INTO "events" VALUES(115,1795669953648,'checkpoint','1d7664411d3e3a5e',37,'checkpoint.written','{"type":"checkpoint.written","checkpoint":36,"session":"two","occasion":"Stop"}');
INSERT INTO "events" VALUES(116,1795669953650,'dispatcher','4863a6eea9c85a63',8,'task.finished','{"type":"task.finished","task":2,"name":"lint","session":"two","outcome":"done","reason":"its turn ended"}');
INSERT INTO "events" VALUES(117,1795669953651,'checkpoint','1d7664411d3e3a5e',38,'checkpoint.written','{"type":"checkpoint.written","checkpoint":37,"session":"three","occasion":"PostToolBatch"}');
INSERT INTO "events" VALUES(118,1795669953666,'control-plane','39be9c81a482caa0',45,'hook.received','{"type":"hook.received","call":31,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"PostToolBatch","held":false}');
INSERT INTO "events" VALUES(119,1795669953668,'session-watcher','1a7c8f1ee0fbd23a',17,'session.changed','{"type":"session.changed","session":"two","state":"idle","was":"working","account":"main"}');
INSERT INTO "events" VALUES(120,1795669953670,'checkpoint','1d7664411d3e3a5e',39,'checkpoint.written','{"type":"checkpoint.written","checkpoint":38,"session":"one","occasion":"PostToolBatch"}');
INSERT INTO "events" VALUES(121,1795669953671,'checkpoint','1d7664411d3e3a5e',40,'checkpoint.written','{"type":"checkpoint.written","checkpoint":39,"session":"two","occasion":"is idle"}');
INSERT INTO "events" VALUES(122,1795669953675,'control-plane','39be9c81a482caa0',46,'usage.pushed','{"type":"usage.pushed","session":"one","account":"main"}');
INSERT INTO "events" VALUES(123,1795669953695,'control-plane','39be9c81a482caa0',47,'usage.pushed','{"type":"usage.pushed","session":"three","account":"main"}');
INSERT INTO "events" VALUES(124,1795669953705,'control-plane','39be9c81a482caa0',48,'hook.received','{"type":"hook.received","call":32,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"Stop","held":false}');
INSERT INTO "events" VALUES(125,1795669953716,'checkpoint','1d7664411d3e3a5e',41,'checkpoint.written','{"type":"checkpoint.written","checkpoint":40,"session":"one","occasion":"Stop"}');
INSERT INTO "events" VALUES(126,1795669953718,'dispatcher','4863a6eea9c85a63',9,'task.finished','{"type":"task.finished","task":1,"name":"build","session":"one","outcome":"done","reason":"its turn ended"}');
INSERT INTO "events" VALUES(127,1795669953727,'session-watcher','1a7c8f1ee0fbd23a',18,'session.changed','{"type":"session.changed","session":"one","state":"idle","was":"working","account":"main"}');
INSERT INTO "events" VALUES(128,1795669953728,'checkpoint','1d7664411d3e3a5e',42,'checkpoint.written','{"type":"checkpoint.written","checkpoint":41,"session":"one","occasion":"is idle"}');
INSERT INTO "events" VALUES(129,1795669953737,'control-plane','39be9c81a482caa0',49,'hook.received','{"type":"hook.received","call":33,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"Stop","held":false}');
INSERT INTO "events" VALUES(130,1795669953741,'checkpoint','1d7664411d3e3a5e',43,'checkpoint.written','{"type":"checkpoint.written","checkpoint":42,"session":"three","occasion":"Stop"}');
INSERT INTO "events" VALUES(131,1795669953743,'dispatcher','4863a6eea9c85a63',10,'task.finished','{"type":"task.finished","task":3,"name":"ship","session":"three","outcome":"done","reason":"its turn ended"}');
INSERT INTO "events" VALUES(132,1795669953755,'session-watcher','1a7c8f1ee0fbd23a',19,'session.changed','{"type":"session.changed","session":"three","state":"idle","was":"working","account":"main"}');
INSERT INTO "events" VALUES(133,1795669953758,'checkpoint','1d7664411d3e3a5e',44,'checkpoint.written','{"type":"checkpoint.written","checkpoint":43,"session":"three","occasion":"is idle"}');
INSERT INTO "events" VALUES(134,1795669954002,'control-plane','39be9c81a482caa0',50,'usage.pushed','{"type":"usage.pushed","session":"one","account":"main"}');
INSERT INTO "events" VALUES(135,1795669954003,'control-plane','39be9c81a482caa0',51,'usage.pushed','{"type":"usage.pushed","session":"two","account":"main"}');
INSERT INTO "events" VALUES(136,1795669954058,'control-plane','39be9c81a482caa0',52,'usage.pushed','{"type":"usage.pushed","session":"three","account":"main"}');
INSERT INTO "events" VALUES(137,1795669954193,'control-plane','39be9c81a482caa0',53,'operator.order-placed','{"type":"operator.order-placed","order":2,"verb":"swap"}');
INSERT INTO "events" VALUES(138,1795669954201,'account-switcher','131fdcc5b74ac752',6,'swap.started','{"type":"swap.started","swap":1,"source":"main","target":"backup","urgency":"soft","sessions":["one","three","two"],"reason":"ordered by root at the command line; about 6 k tokens of context to be cached anew","shares":{},"kind":"swap"}');
INSERT INTO "events" VALUES(139,1795669954381,'account-switcher','131fdcc5b74ac752',7,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":1,"session":"one","state":"holding","was":"queued","why":"its turn has come"}');
INSERT INTO "events" VALUES(140,1795669954382,'account-switcher','131fdcc5b74ac752',8,'swap.hold-changed','{"type":"swap.hold-changed","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","standing":true}');
INSERT INTO "events" VALUES(141,1795669954382,'account-switcher','131fdcc5b74ac752',9,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":2,"session":"three","state":"holding","was":"queued","why":"its turn has come"}');
INSERT INTO "events" VALUES(142,1795669954382,'account-switcher','131fdcc5b74ac752',10,'swap.hold-changed','{"type":"swap.hold-changed","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","standing":true}');
INSERT INTO "events" VALUES(143,1795669954383,'account-switcher','131fdcc5b74ac752',11,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":3,"session":"two","state":"holding","was":"queued","why":"its turn has come"}');
INSERT INTO "events" VALUES(144,1795669954384,'account-switcher','131fdcc5b74ac752',12,'swap.hold-changed','{"type":"swap.hold-changed","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","standing":true}');
INSERT INTO "events" VALUES(145,1795669954392,'account-switcher','131fdcc5b74ac752',13,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":1,"session":"one","state":"at_boundary","was":"holding","why":"idle"}');
INSERT INTO "events" VALUES(146,1795669954394,'account-switcher','131fdcc5b74ac752',14,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":1,"session":"one","state":"checkpointed","was":"at_boundary","why":"idle"}');
INSERT INTO "events" VALUES(147,1795669954395,'account-switcher','131fdcc5b74ac752',15,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":1,"session":"one","state":"stopping","was":"checkpointed","why":"idle"}');
INSERT INTO "events" VALUES(148,1795669954397,'account-switcher','131fdcc5b74ac752',16,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":2,"session":"three","state":"at_boundary","was":"holding","why":"idle"}');
INSERT INTO "events" VALUES(149,1795669954398,'session-watcher','1a7c8f1ee0fbd23a',20,'session.changed','{"type":"session.changed","session":"one","state":"moving","was":"idle","account":"main"}');
INSERT INTO "events" VALUES(150,1795669954399,'account-switcher','131fdcc5b74ac752',17,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":2,"session":"three","state":"checkpointed","was":"at_boundary","why":"idle"}');
INSERT INTO "events" VALUES(151,1795669954402,'account-switcher','131fdcc5b74ac752',18,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":2,"session":"three","state":"stopping","was":"checkpointed","why":"idle"}');
INSERT INTO "events" VALUES(152,1795669954403,'checkpoint','1d7664411d3e3a5e',45,'checkpoint.written','{"type":"checkpoint.written","checkpoint":44,"session":"one","occasion":"is moving"}');
INSERT INTO "events" VALUES(153,1795669954405,'account-switcher','131fdcc5b74ac752',19,'swap.hold-changed','{"type":"swap.hold-changed","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","standing":false}');
INSERT INTO "events" VALUES(154,1795669954412,'session-watcher','1a7c8f1ee0fbd23a',21,'session.changed','{"type":"session.changed","session":"three","state":"moving","was":"idle","account":"main"}');
INSERT INTO "events" VALUES(155,1795669954413,'checkpoint','1d7664411d3e3a5e',46,'checkpoint.written','{"type":"checkpoint.written","checkpoint":45,"session":"three","occasion":"is moving"}');
INSERT INTO "events" VALUES(156,1795669954462,'control-plane','39be9c81a482caa0',54,'hook.received','{"type":"hook.received","call":34,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"SessionEnd","held":false}');
INSERT INTO "events" VALUES(157,1795669954469,'checkpoint','1d7664411d3e3a5e',47,'checkpoint.written','{"type":"checkpoint.written","checkpoint":46,"session":"three","occasion":"SessionEnd"}');
INSERT INTO "events" VALUES(158,1795669954477,'account-switcher','131fdcc5b74ac752',20,'swap.hold-changed','{"type":"swap.hold-changed","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","standing":false}');
INSERT INTO "events" VALUES(159,1795669954477,'account-switcher','131fdcc5b74ac752',21,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":2,"session":"three","state":"dead","was":"stopping","why":"its process is proven dead"}');
INSERT INTO "events" VALUES(160,1795669954478,'control-plane','39be9c81a482caa0',55,'hook.received','{"type":"hook.received","call":35,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"SessionEnd","held":false}');
INSERT INTO "events" VALUES(161,1795669954482,'checkpoint','1d7664411d3e3a5e',48,'checkpoint.written','{"type":"checkpoint.written","checkpoint":47,"session":"one","occasion":"SessionEnd"}');
INSERT INTO "events" VALUES(162,1795669954495,'account-switcher','131fdcc5b74ac752',22,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":2,"session":"three","state":"relaunching","was":"dead","why":"no process is on its conversation; starting it under backup"}');
INSERT INTO "events" VALUES(163,1795669954548,'account-switcher','131fdcc5b74ac752',23,'swap.hold-changed','{"type":"swap.hold-changed","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","standing":false}');
INSERT INTO "events" VALUES(164,1795669954548,'account-switcher','131fdcc5b74ac752',24,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":1,"session":"one","state":"dead","was":"stopping","why":"its process is proven dead"}');
INSERT INTO "events" VALUES(165,1795669954577,'account-switcher','131fdcc5b74ac752',25,'session.launched','{"type":"session.launched","session":"three","account":"backup","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","pid":32295}');
INSERT INTO "events" VALUES(166,1795669954577,'account-switcher','131fdcc5b74ac752',26,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":2,"session":"three","state":"relaunched","was":"relaunching","why":"its new process runs"}');
INSERT INTO "events" VALUES(167,1795669954589,'checkpoint','1d7664411d3e3a5e',49,'checkpoint.written','{"type":"checkpoint.written","checkpoint":48,"session":"three","occasion":"started anew"}');
INSERT INTO "events" VALUES(168,1795669954591,'account-switcher','131fdcc5b74ac752',27,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":1,"session":"one","state":"relaunching","was":"dead","why":"no process is on its conversation; starting it under backup"}');
INSERT INTO "events" VALUES(169,1795669954665,'account-switcher','131fdcc5b74ac752',28,'session.launched','{"type":"session.launched","session":"one","account":"backup","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","pid":32312}');
INSERT INTO "events" VALUES(170,1795669954665,'account-switcher','131fdcc5b74ac752',29,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":1,"session":"one","state":"relaunched","was":"relaunching","why":"its new process runs"}');
INSERT INTO "events" VALUES(171,1795669954668,'checkpoint','1d7664411d3e3a5e',50,'checkpoint.written','{"type":"checkpoint.written","checkpoint":49,"session":"one","occasion":"started anew"}');
INSERT INTO "events" VALUES(172,1795669954835,'control-plane','39be9c81a482caa0',56,'hook.received','{"type":"hook.received","call":36,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"SessionStart","held":false}');
INSERT INTO "events" VALUES(173,1795669954836,'checkpoint','1d7664411d3e3a5e',51,'checkpoint.written','{"type":"checkpoint.written","checkpoint":50,"session":"three","occasion":"SessionStart"}');
INSERT INTO "events" VALUES(174,1795669954839,'control-plane','39be9c81a482caa0',57,'hook.received','{"type":"hook.received","call":37,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"SessionStart","held":false}');
INSERT INTO "events" VALUES(175,1795669954840,'checkpoint','1d7664411d3e3a5e',52,'checkpoint.written','{"type":"checkpoint.written","checkpoint":51,"session":"one","occasion":"SessionStart"}');
INSERT INTO "events" VALUES(176,1795669954844,'session-watcher','1a7c8f1ee0fbd23a',22,'session.changed','{"type":"session.changed","session":"one","state":"idle","was":"moving","account":"backup"}');
INSERT INTO "events" VALUES(177,1795669954844,'session-watcher','1a7c8f1ee0fbd23a',23,'session.changed','{"type":"session.changed","session":"three","state":"idle","was":"moving","account":"backup"}');
INSERT INTO "events" VALUES(178,1795669954846,'checkpoint','1d7664411d3e3a5e',53,'checkpoint.written','{"type":"checkpoint.written","checkpoint":52,"session":"one","occasion":"is idle"}');
INSERT INTO "events" VALUES(179,1795669954846,'checkpoint','1d7664411d3e3a5e',54,'checkpoint.written','{"type":"checkpoint.written","checkpoint":53,"session":"three","occasion":"is idle"}');
INSERT INTO "events" VALUES(180,1795669954855,'control-plane','39be9c81a482caa0',58,'usage.pushed','{"type":"usage.pushed","session":"one","account":"backup"}');
INSERT INTO "events" VALUES(181,1795669954864,'account-switcher','131fdcc5b74ac752',30,'swap.hold-changed','{"type":"swap.hold-changed","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","standing":false}');
INSERT INTO "events" VALUES(182,1795669954864,'account-switcher','131fdcc5b74ac752',31,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":1,"session":"one","state":"verified","was":"relaunched","why":"it is idle under backup"}');
INSERT INTO "events" VALUES(183,1795669954865,'account-switcher','131fdcc5b74ac752',32,'swap.hold-changed','{"type":"swap.hold-changed","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","standing":false}');
INSERT INTO "events" VALUES(184,1795669954865,'account-switcher','131fdcc5b74ac752',33,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":2,"session":"three","state":"verified","was":"relaunched","why":"it is idle under backup"}');
INSERT INTO "events" VALUES(185,1795669954877,'control-plane','39be9c81a482caa0',59,'usage.pushed','{"type":"usage.pushed","session":"three","account":"backup"}');
INSERT INTO "events" VALUES(186,1795669954883,'account-switcher','131fdcc5b74ac752',34,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":3,"session":"two","state":"at_boundary","was":"holding","why":"idle"}');
INSERT INTO "events" VALUES(187,1795669954890,'account-switcher','131fdcc5b74ac752',35,'swap.hold-changed','{"type":"swap.hold-changed","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","standing":true}');
INSERT INTO "events" VALUES(188,1795669954900,'account-switcher','131fdcc5b74ac752',36,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":3,"session":"two","state":"checkpointed","was":"at_boundary","why":"idle"}');
INSERT INTO "events" VALUES(189,1795669954903,'account-switcher','131fdcc5b74ac752',37,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":3,"session":"two","state":"stopping","was":"checkpointed","why":"idle"}');
INSERT INTO "events" VALUES(190,1795669954904,'session-watcher','1a7c8f1ee0fbd23a',24,'session.changed','{"type":"session.changed","session":"two","state":"moving","was":"idle","account":"main"}');
INSERT INTO "events" VALUES(191,1795669954910,'checkpoint','1d7664411d3e3a5e',55,'checkpoint.written','{"type":"checkpoint.written","checkpoint":54,"session":"two","occasion":"is moving"}');
INSERT INTO "events" VALUES(192,1795669954922,'control-plane','39be9c81a482caa0',60,'hook.received','{"type":"hook.received","call":38,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"SessionEnd","held":false}');
INSERT INTO "events" VALUES(193,1795669954923,'checkpoint','1d7664411d3e3a5e',56,'checkpoint.written','{"type":"checkpoint.written","checkpoint":55,"session":"two","occasion":"SessionEnd"}');
INSERT INTO "events" VALUES(194,1795669954933,'account-switcher','131fdcc5b74ac752',38,'swap.hold-changed','{"type":"swap.hold-changed","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","standing":false}');
INSERT INTO "events" VALUES(195,1795669954933,'account-switcher','131fdcc5b74ac752',39,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":3,"session":"two","state":"dead","was":"stopping","why":"its process is proven dead"}');
INSERT INTO "events" VALUES(196,1795669954952,'account-switcher','131fdcc5b74ac752',40,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":3,"session":"two","state":"relaunching","was":"dead","why":"no process is on its conversation; starting it under backup"}');
INSERT INTO "events" VALUES(197,1795669955000,'account-switcher','131fdcc5b74ac752',41,'session.launched','{"type":"session.launched","session":"two","account":"backup","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","pid":32353}');
INSERT INTO "events" VALUES(198,1795669955000,'account-switcher','131fdcc5b74ac752',42,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":3,"session":"two","state":"relaunched","was":"relaunching","why":"its new process runs"}');
INSERT INTO "events" VALUES(199,1795669955003,'checkpoint','1d7664411d3e3a5e',57,'checkpoint.written','{"type":"checkpoint.written","checkpoint":56,"session":"two","occasion":"started anew"}');
INSERT INTO "events" VALUES(200,1795669955076,'control-plane','39be9c81a482caa0',61,'hook.received','{"type":"hook.received","call":39,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"SessionStart","held":false}');
INSERT INTO "events" VALUES(201,1795669955081,'checkpoint','1d7664411d3e3a5e',58,'checkpoint.written','{"type":"checkpoint.written","checkpoint":57,"session":"two","occasion":"SessionStart"}');
INSERT INTO "events" VALUES(202,1795669955103,'session-watcher','1a7c8f1ee0fbd23a',25,'session.changed','{"type":"session.changed","session":"two","state":"idle","was":"moving","account":"backup"}');
INSERT INTO "events" VALUES(203,1795669955114,'checkpoint','1d7664411d3e3a5e',59,'checkpoint.written','{"type":"checkpoint.written","checkpoint":58,"session":"two","occasion":"is idle"}');
INSERT INTO "events" VALUES(204,1795669955127,'account-switcher','131fdcc5b74ac752',43,'swap.hold-changed','{"type":"swap.hold-changed","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","standing":false}');
INSERT INTO "events" VALUES(205,1795669955127,'account-switcher','131fdcc5b74ac752',44,'swap.move-advanced','{"type":"swap.move-advanced","swap":1,"move":3,"session":"two","state":"verified","was":"relaunched","why":"it is idle under backup"}');
INSERT INTO "events" VALUES(206,1795669955130,'account-switcher','131fdcc5b74ac752',45,'swap.finished','{"type":"swap.finished","swap":1,"source":"main","target":"backup","outcome":"done","moved":3,"stayed":0,"duration_ms":929,"sentence":"moved 3 of 3 sessions in 0.9 s (about 6 k tokens of context to be cached anew)","urgency":"soft","kind":"swap"}');
INSERT INTO "events" VALUES(207,1795669955130,'account-switcher','131fdcc5b74ac752',46,'operator.order-done','{"type":"operator.order-done","order":2,"outcome":"done","sentence":"swap 1: moved 3 of 3 sessions in 0.9 s (about 6 k tokens of context to be cached anew)"}');
INSERT INTO "events" VALUES(208,1795669955164,'control-plane','39be9c81a482caa0',62,'usage.pushed','{"type":"usage.pushed","session":"two","account":"backup"}');
INSERT INTO "events" VALUES(209,1795669955247,'control-plane','39be9c81a482caa0',63,'usage.pushed','{"type":"usage.pushed","session":"one","account":"backup"}');
INSERT INTO "events" VALUES(210,1795669955279,'control-plane','39be9c81a482caa0',64,'usage.pushed','{"type":"usage.pushed","session":"three","account":"backup"}');
INSERT INTO "events" VALUES(211,1795669955445,'session-watcher','1a7c8f1ee0fbd23a',26,'session.changed','{"type":"session.changed","session":"one","state":"working","was":"idle","account":"backup"}');
INSERT INTO "events" VALUES(212,1795669955448,'checkpoint','1d7664411d3e3a5e',60,'checkpoint.written','{"type":"checkpoint.written","checkpoint":59,"session":"one","occasion":"is working"}');
INSERT INTO "events" VALUES(213,1795669955496,'session-watcher','1a7c8f1ee0fbd23a',27,'session.changed','{"type":"session.changed","session":"two","state":"working","was":"idle","account":"backup"}');
INSERT INTO "events" VALUES(214,1795669955498,'checkpoint','1d7664411d3e3a5e',61,'checkpoint.written','{"type":"checkpoint.written","checkpoint":60,"session":"two","occasion":"is working"}');
INSERT INTO "events" VALUES(215,1795669955510,'session-watcher','1a7c8f1ee0fbd23a',28,'session.changed','{"type":"session.changed","session":"three","state":"working","was":"idle","account":"backup"}');
INSERT INTO "events" VALUES(216,1795669955514,'checkpoint','1d7664411d3e3a5e',62,'checkpoint.written','{"type":"checkpoint.written","checkpoint":61,"session":"three","occasion":"is working"}');
INSERT INTO "events" VALUES(217,1795669955527,'control-plane','39be9c81a482caa0',65,'hook.received','{"type":"hook.received","call":40,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"UserPromptSubmit","held":false}');
INSERT INTO "events" VALUES(218,1795669955528,'checkpoint','1d7664411d3e3a5e',63,'checkpoint.written','{"type":"checkpoint.written","checkpoint":62,"session":"one","occasion":"UserPromptSubmit"}');
INSERT INTO "events" VALUES(219,1795669955543,'control-plane','39be9c81a482caa0',66,'usage.pushed','{"type":"usage.pushed","session":"two","account":"backup"}');
INSERT INTO "events" VALUES(220,1795669955556,'control-plane','39be9c81a482caa0',67,'hook.received','{"type":"hook.received","call":41,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"UserPromptSubmit","held":false}');
INSERT INTO "events" VALUES(221,1795669955558,'checkpoint','1d7664411d3e3a5e',64,'checkpoint.written','{"type":"checkpoint.written","checkpoint":63,"session":"three","occasion":"UserPromptSubmit"}');
INSERT INTO "events" VALUES(222,1795669955580,'control-plane','39be9c81a482caa0',68,'hook.received','{"type":"hook.received","call":42,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"UserPromptSubmit","held":false}');
INSERT INTO "events" VALUES(223,1795669955583,'checkpoint','1d7664411d3e3a5e',65,'checkpoint.written','{"type":"checkpoint.written","checkpoint":64,"session":"two","occasion":"UserPromptSubmit"}');
INSERT INTO "events" VALUES(224,1795669955644,'control-plane','39be9c81a482caa0',69,'hook.received','{"type":"hook.received","call":43,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"Stop","held":false}');
INSERT INTO "events" VALUES(225,1795669955648,'checkpoint','1d7664411d3e3a5e',66,'checkpoint.written','{"type":"checkpoint.written","checkpoint":65,"session":"one","occasion":"Stop"}');
INSERT INTO "events" VALUES(226,1795669955667,'control-plane','39be9c81a482caa0',70,'hook.received','{"type":"hook.received","call":44,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"Stop","held":false}');
INSERT INTO "events" VALUES(227,1795669955668,'session-watcher','1a7c8f1ee0fbd23a',29,'session.changed','{"type":"session.changed","session":"one","state":"idle","was":"working","account":"backup"}');
INSERT INTO "events" VALUES(228,1795669955670,'checkpoint','1d7664411d3e3a5e',67,'checkpoint.written','{"type":"checkpoint.written","checkpoint":66,"session":"two","occasion":"Stop"}');
INSERT INTO "events" VALUES(229,1795669955672,'session-watcher','1a7c8f1ee0fbd23a',30,'session.changed','{"type":"session.changed","session":"two","state":"idle","was":"working","account":"backup"}');
INSERT INTO "events" VALUES(230,1795669955674,'checkpoint','1d7664411d3e3a5e',68,'checkpoint.written','{"type":"checkpoint.written","checkpoint":67,"session":"one","occasion":"is idle"}');
INSERT INTO "events" VALUES(231,1795669955674,'checkpoint','1d7664411d3e3a5e',69,'checkpoint.written','{"type":"checkpoint.written","checkpoint":68,"session":"two","occasion":"is idle"}');
INSERT INTO "events" VALUES(232,1795669955699,'control-plane','39be9c81a482caa0',71,'hook.received','{"type":"hook.received","call":45,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"Stop","held":false}');
INSERT INTO "events" VALUES(233,1795669955701,'checkpoint','1d7664411d3e3a5e',70,'checkpoint.written','{"type":"checkpoint.written","checkpoint":69,"session":"three","occasion":"Stop"}');
INSERT INTO "events" VALUES(234,1795669955722,'session-watcher','1a7c8f1ee0fbd23a',31,'session.changed','{"type":"session.changed","session":"three","state":"idle","was":"working","account":"backup"}');
INSERT INTO "events" VALUES(235,1795669955728,'checkpoint','1d7664411d3e3a5e',71,'checkpoint.written','{"type":"checkpoint.written","checkpoint":70,"session":"three","occasion":"is idle"}');
INSERT INTO "events" VALUES(236,1795669955768,'control-plane','39be9c81a482caa0',72,'usage.pushed','{"type":"usage.pushed","session":"one","account":"backup"}');
INSERT INTO "events" VALUES(237,1795669955769,'quota-monitor','21eb3a1c3a780e40',4,'usage.read','{"type":"usage.read","account":"backup","window":"five_hour","used":7.0,"resets_at":1795673545,"source":"statusline"}');
INSERT INTO "events" VALUES(238,1795669955769,'quota-monitor','21eb3a1c3a780e40',5,'usage.read','{"type":"usage.read","account":"backup","window":"seven_day","used":5.0,"resets_at":1795969945,"source":"statusline"}');
INSERT INTO "events" VALUES(239,1795669955829,'control-plane','39be9c81a482caa0',73,'usage.pushed','{"type":"usage.pushed","session":"three","account":"backup"}');
INSERT INTO "events" VALUES(240,1795669956035,'control-plane','39be9c81a482caa0',74,'usage.pushed','{"type":"usage.pushed","session":"two","account":"backup"}');
INSERT INTO "events" VALUES(241,1795669956364,'control-plane','39be9c81a482caa0',75,'operator.account-disabled','{"type":"operator.account-disabled","account":"main","until_ms":null,"by":"root at the command line"}');
INSERT INTO "events" VALUES(242,1795669956757,'control-plane','39be9c81a482caa0',76,'operator.order-placed','{"type":"operator.order-placed","order":3,"verb":"stop"}');
INSERT INTO "events" VALUES(243,1795669956764,'account-switcher','131fdcc5b74ac752',47,'swap.started','{"type":"swap.started","swap":2,"source":"backup","target":"","urgency":"soft","sessions":["three"],"reason":"ordered by root at the command line","shares":{},"kind":"stop"}');
INSERT INTO "events" VALUES(244,1795669956779,'account-switcher','131fdcc5b74ac752',48,'swap.move-advanced','{"type":"swap.move-advanced","swap":2,"move":4,"session":"three","state":"holding","was":"queued","why":"its turn has come"}');
INSERT INTO "events" VALUES(245,1795669956780,'account-switcher','131fdcc5b74ac752',49,'swap.hold-changed','{"type":"swap.hold-changed","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","standing":true}');
INSERT INTO "events" VALUES(246,1795669956788,'account-switcher','131fdcc5b74ac752',50,'swap.move-advanced','{"type":"swap.move-advanced","swap":2,"move":4,"session":"three","state":"at_boundary","was":"holding","why":"idle"}');
INSERT INTO "events" VALUES(247,1795669956790,'account-switcher','131fdcc5b74ac752',51,'swap.move-advanced','{"type":"swap.move-advanced","swap":2,"move":4,"session":"three","state":"checkpointed","was":"at_boundary","why":"idle"}');
INSERT INTO "events" VALUES(248,1795669956793,'account-switcher','131fdcc5b74ac752',52,'swap.move-advanced','{"type":"swap.move-advanced","swap":2,"move":4,"session":"three","state":"stopping","was":"checkpointed","why":"idle"}');
INSERT INTO "events" VALUES(249,1795669956804,'session-watcher','1a7c8f1ee0fbd23a',32,'session.changed','{"type":"session.changed","session":"three","state":"moving","was":"idle","account":"backup"}');
INSERT INTO "events" VALUES(250,1795669956806,'checkpoint','1d7664411d3e3a5e',72,'checkpoint.written','{"type":"checkpoint.written","checkpoint":71,"session":"three","occasion":"is moving"}');
INSERT INTO "events" VALUES(251,1795669956821,'control-plane','39be9c81a482caa0',77,'hook.received','{"type":"hook.received","call":46,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"SessionEnd","held":false}');
INSERT INTO "events" VALUES(252,1795669956825,'checkpoint','1d7664411d3e3a5e',73,'checkpoint.written','{"type":"checkpoint.written","checkpoint":72,"session":"three","occasion":"SessionEnd"}');
INSERT INTO "events" VALUES(253,1795669956906,'account-switcher','131fdcc5b74ac752',53,'swap.hold-changed','{"type":"swap.hold-changed","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","standing":false}');
INSERT INTO "events" VALUES(254,1795669956906,'account-switcher','131fdcc5b74ac752',54,'swap.move-advanced','{"type":"swap.move-advanced","swap":2,"move":4,"session":"three","state":"dead","was":"stopping","why":"its process is proven dead"}');
INSERT INTO "events" VALUES(255,1795669956947,'account-switcher','131fdcc5b74ac752',55,'swap.hold-changed','{"type":"swap.hold-changed","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","standing":false}');
INSERT INTO "events" VALUES(256,1795669956947,'account-switcher','131fdcc5b74ac752',56,'swap.move-advanced','{"type":"swap.move-advanced","swap":2,"move":4,"session":"three","state":"stopped","was":"dead","why":"stopped, as ordered"}');
INSERT INTO "events" VALUES(257,1795669956955,'session-watcher','1a7c8f1ee0fbd23a',33,'session.changed','{"type":"session.changed","session":"three","state":"stopped","was":"moving","account":"backup"}');
INSERT INTO "events" VALUES(258,1795669956956,'account-switcher','131fdcc5b74ac752',57,'swap.finished','{"type":"swap.finished","swap":2,"source":"backup","target":"","outcome":"done","moved":1,"stayed":0,"duration_ms":192,"sentence":"stopped 1 of 1 sessions in 0.2 s","urgency":"soft","kind":"stop"}');
INSERT INTO "events" VALUES(259,1795669956956,'account-switcher','131fdcc5b74ac752',58,'operator.order-done','{"type":"operator.order-done","order":3,"outcome":"done","sentence":"swap 2: stopped 1 of 1 sessions in 0.2 s"}');
INSERT INTO "events" VALUES(260,1795669956960,'checkpoint','1d7664411d3e3a5e',74,'checkpoint.written','{"type":"checkpoint.written","checkpoint":73,"session":"three","occasion":"started anew"}');
INSERT INTO "events" VALUES(261,1795669957213,'dispatcher','4863a6eea9c85a63',11,'task.queued','{"type":"task.queued","task":4,"name":"later","project":"/home/op/projects/site"}');
CREATE TABLE flags (            -- control-plane: what the operator has set (paused, disabled:ACCOUNT)
    name    TEXT PRIMARY KEY,
    value   TEXT NOT NULL,
    by      TEXT NOT NULL,
    at_ms   INTEGER NOT NULL
);
INSERT INTO "flags" VALUES('disabled:main','0','root at the command line',1795669956363);
CREATE TABLE folds (            -- notifier: what happens over and over (failover/core/folding.py)
    name          TEXT PRIMARY KEY,
    since_ms      INTEGER NOT NULL,
    until_ms      INTEGER NOT NULL,
    count         INTEGER NOT NULL,
    event         INTEGER NOT NULL,
    settling      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE fresh_requests (   -- dispatcher: start a session anew, in a conversation of a task's own
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    task          INTEGER NOT NULL,
    session       TEXT NOT NULL,
    launch        TEXT NOT NULL,              -- as it was when this was asked: void once it was started anew
    conversation  TEXT NOT NULL,              -- the new one
    cwd           TEXT NOT NULL,
    prompt        TEXT NOT NULL
);
CREATE TABLE holds (            -- account-switcher: conversations that may not pass their next boundary
    conversation  TEXT PRIMARY KEY,
    move          INTEGER NOT NULL,
    pid           INTEGER NOT NULL,           -- the holder; a hold whose holder is dead is void
    start         INTEGER NOT NULL,
    until_mono    REAL NOT NULL
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
INSERT INTO "hook_calls" VALUES(1,1795669951854,'two','main','a5fa5296c98f','60ceefb9-e8f0-444b-b667-6346bf9033c5','SessionStart','{"id":0,"launch":"a5fa5296c98f","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"SessionStart","at_ms":1795669951854,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"","tool_input":"","source":"startup","notice":""}');
INSERT INTO "hook_calls" VALUES(2,1795669951875,'one','main','2614c4865b87','faae1021-b83a-419a-b56d-1d8bac6966ca','SessionStart','{"id":0,"launch":"2614c4865b87","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"SessionStart","at_ms":1795669951875,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"","tool_input":"","source":"startup","notice":""}');
INSERT INTO "hook_calls" VALUES(3,1795669951893,'three','main','2199775fae00','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','SessionStart','{"id":0,"launch":"2199775fae00","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"SessionStart","at_ms":1795669951893,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"","tool_input":"","source":"startup","notice":""}');
INSERT INTO "hook_calls" VALUES(4,1795669952069,'one','main','2614c4865b87','faae1021-b83a-419a-b56d-1d8bac6966ca','UserPromptSubmit','{"id":0,"launch":"2614c4865b87","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"UserPromptSubmit","at_ms":1795669952069,"agent":"","prompt":"words 1 to one","background":null,"error":"","message":"","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(5,1795669952156,'two','main','a5fa5296c98f','60ceefb9-e8f0-444b-b667-6346bf9033c5','UserPromptSubmit','{"id":0,"launch":"a5fa5296c98f","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"UserPromptSubmit","at_ms":1795669952156,"agent":"","prompt":"words 2 to two","background":null,"error":"","message":"","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(6,1795669952216,'one','main','2614c4865b87','faae1021-b83a-419a-b56d-1d8bac6966ca','Stop','{"id":0,"launch":"2614c4865b87","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"Stop","at_ms":1795669952216,"agent":"","prompt":"","background":0,"error":"","message":"Answer to text 1 with 0 results: words 1 to one","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(7,1795669952253,'three','main','2199775fae00','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','UserPromptSubmit','{"id":0,"launch":"2199775fae00","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"UserPromptSubmit","at_ms":1795669952253,"agent":"","prompt":"words 3 to three","background":null,"error":"","message":"","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(8,1795669952308,'two','main','a5fa5296c98f','60ceefb9-e8f0-444b-b667-6346bf9033c5','Stop','{"id":0,"launch":"a5fa5296c98f","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"Stop","at_ms":1795669952308,"agent":"","prompt":"","background":0,"error":"","message":"Answer to text 1 with 0 results: words 2 to two","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(9,1795669952419,'three','main','2199775fae00','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','Stop','{"id":0,"launch":"2199775fae00","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"Stop","at_ms":1795669952419,"agent":"","prompt":"","background":0,"error":"","message":"Answer to text 1 with 0 results: words 3 to three","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(10,1795669952846,'one','main','2614c4865b87','faae1021-b83a-419a-b56d-1d8bac6966ca','UserPromptSubmit','{"id":0,"launch":"2614c4865b87","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"UserPromptSubmit","at_ms":1795669952846,"agent":"","prompt":"[task 1, attempt 1] Read the file \"/home/op/projects/app/.agent-queue/inbox/build.md\" and carry out what it says; leave the file there.","background":null,"error":"","message":"","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(11,1795669952876,'two','main','a5fa5296c98f','60ceefb9-e8f0-444b-b667-6346bf9033c5','UserPromptSubmit','{"id":0,"launch":"a5fa5296c98f","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"UserPromptSubmit","at_ms":1795669952876,"agent":"","prompt":"[task 2, attempt 1] Read the file \"/home/op/projects/app/.agent-queue/inbox/lint.md\" and carry out what it says; leave the file there.","background":null,"error":"","message":"","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(12,1795669952923,'one','main','2614c4865b87','faae1021-b83a-419a-b56d-1d8bac6966ca','PreToolUse','{"id":0,"launch":"2614c4865b87","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"PreToolUse","at_ms":1795669952923,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"cat /home/op/projects/app/.agent-queue/inbox/build.md","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(13,1795669952969,'two','main','a5fa5296c98f','60ceefb9-e8f0-444b-b667-6346bf9033c5','PreToolUse','{"id":0,"launch":"a5fa5296c98f","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"PreToolUse","at_ms":1795669952969,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"cat /home/op/projects/app/.agent-queue/inbox/lint.md","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(14,1795669952977,'three','main','2199775fae00','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','UserPromptSubmit','{"id":0,"launch":"2199775fae00","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"UserPromptSubmit","at_ms":1795669952977,"agent":"","prompt":"[task 3, attempt 1] Read the file \"/home/op/projects/site/.agent-queue/inbox/ship.md\" and carry out what it says; leave the file there.","background":null,"error":"","message":"","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(15,1795669953016,'one','main','2614c4865b87','faae1021-b83a-419a-b56d-1d8bac6966ca','PostToolBatch','{"id":0,"launch":"2614c4865b87","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"PostToolBatch","at_ms":1795669953016,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"cat /home/op/projects/app/.agent-queue/inbox/build.md","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(16,1795669953022,'two','main','a5fa5296c98f','60ceefb9-e8f0-444b-b667-6346bf9033c5','PostToolBatch','{"id":0,"launch":"a5fa5296c98f","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"PostToolBatch","at_ms":1795669953022,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"cat /home/op/projects/app/.agent-queue/inbox/lint.md","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(17,1795669953069,'three','main','2199775fae00','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','PreToolUse','{"id":0,"launch":"2199775fae00","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"PreToolUse","at_ms":1795669953069,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"cat /home/op/projects/site/.agent-queue/inbox/ship.md","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(18,1795669953078,'one','main','2614c4865b87','faae1021-b83a-419a-b56d-1d8bac6966ca','PreToolUse','{"id":0,"launch":"2614c4865b87","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"PreToolUse","at_ms":1795669953078,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"/home/op/step build 1 0.2","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(19,1795669953086,'two','main','a5fa5296c98f','60ceefb9-e8f0-444b-b667-6346bf9033c5','PreToolUse','{"id":0,"launch":"a5fa5296c98f","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"PreToolUse","at_ms":1795669953086,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"/home/op/step lint 1 0.2","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(20,1795669953117,'three','main','2199775fae00','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','PostToolBatch','{"id":0,"launch":"2199775fae00","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"PostToolBatch","at_ms":1795669953117,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"cat /home/op/projects/site/.agent-queue/inbox/ship.md","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(21,1795669953139,'three','main','2199775fae00','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','PreToolUse','{"id":0,"launch":"2199775fae00","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"PreToolUse","at_ms":1795669953139,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"/home/op/step ship 1 0.2","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(22,1795669953327,'two','main','a5fa5296c98f','60ceefb9-e8f0-444b-b667-6346bf9033c5','PostToolBatch','{"id":0,"launch":"a5fa5296c98f","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"PostToolBatch","at_ms":1795669953327,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"/home/op/step lint 1 0.2","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(23,1795669953338,'one','main','2614c4865b87','faae1021-b83a-419a-b56d-1d8bac6966ca','PostToolBatch','{"id":0,"launch":"2614c4865b87","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"PostToolBatch","at_ms":1795669953338,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"/home/op/step build 1 0.2","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(24,1795669953364,'two','main','a5fa5296c98f','60ceefb9-e8f0-444b-b667-6346bf9033c5','PreToolUse','{"id":0,"launch":"a5fa5296c98f","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"PreToolUse","at_ms":1795669953364,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"/home/op/step lint 2 0.2","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(25,1795669953373,'three','main','2199775fae00','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','PostToolBatch','{"id":0,"launch":"2199775fae00","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"PostToolBatch","at_ms":1795669953373,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"/home/op/step ship 1 0.2","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(26,1795669953379,'one','main','2614c4865b87','faae1021-b83a-419a-b56d-1d8bac6966ca','PreToolUse','{"id":0,"launch":"2614c4865b87","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"PreToolUse","at_ms":1795669953379,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"/home/op/step build 2 0.2","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(27,1795669953400,'three','main','2199775fae00','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','PreToolUse','{"id":0,"launch":"2199775fae00","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"PreToolUse","at_ms":1795669953400,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"/home/op/step ship 2 0.2","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(28,1795669953620,'two','main','a5fa5296c98f','60ceefb9-e8f0-444b-b667-6346bf9033c5','PostToolBatch','{"id":0,"launch":"a5fa5296c98f","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"PostToolBatch","at_ms":1795669953620,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"/home/op/step lint 2 0.2","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(29,1795669953642,'two','main','a5fa5296c98f','60ceefb9-e8f0-444b-b667-6346bf9033c5','Stop','{"id":0,"launch":"a5fa5296c98f","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"Stop","at_ms":1795669953642,"agent":"","prompt":"","background":0,"error":"","message":"TASK-DONE lint","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(30,1795669953647,'three','main','2199775fae00','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','PostToolBatch','{"id":0,"launch":"2199775fae00","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"PostToolBatch","at_ms":1795669953647,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"/home/op/step ship 2 0.2","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(31,1795669953666,'one','main','2614c4865b87','faae1021-b83a-419a-b56d-1d8bac6966ca','PostToolBatch','{"id":0,"launch":"2614c4865b87","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"PostToolBatch","at_ms":1795669953666,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"Bash","tool_input":"/home/op/step build 2 0.2","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(32,1795669953704,'one','main','2614c4865b87','faae1021-b83a-419a-b56d-1d8bac6966ca','Stop','{"id":0,"launch":"2614c4865b87","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"Stop","at_ms":1795669953704,"agent":"","prompt":"","background":0,"error":"","message":"TASK-DONE build","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(33,1795669953737,'three','main','2199775fae00','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','Stop','{"id":0,"launch":"2199775fae00","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"Stop","at_ms":1795669953737,"agent":"","prompt":"","background":0,"error":"","message":"TASK-DONE ship","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(34,1795669954462,'three','main','2199775fae00','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','SessionEnd','{"id":0,"launch":"2199775fae00","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"SessionEnd","at_ms":1795669954462,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(35,1795669954477,'one','main','2614c4865b87','faae1021-b83a-419a-b56d-1d8bac6966ca','SessionEnd','{"id":0,"launch":"2614c4865b87","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"SessionEnd","at_ms":1795669954477,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(36,1795669954835,'three','backup','b97209a155cc','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','SessionStart','{"id":0,"launch":"b97209a155cc","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"SessionStart","at_ms":1795669954835,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"","tool_input":"","source":"resume","notice":""}');
INSERT INTO "hook_calls" VALUES(37,1795669954839,'one','backup','e19381bdf9be','faae1021-b83a-419a-b56d-1d8bac6966ca','SessionStart','{"id":0,"launch":"e19381bdf9be","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"SessionStart","at_ms":1795669954839,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"","tool_input":"","source":"resume","notice":""}');
INSERT INTO "hook_calls" VALUES(38,1795669954921,'two','main','a5fa5296c98f','60ceefb9-e8f0-444b-b667-6346bf9033c5','SessionEnd','{"id":0,"launch":"a5fa5296c98f","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"SessionEnd","at_ms":1795669954921,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(39,1795669955076,'two','backup','993683aae0bf','60ceefb9-e8f0-444b-b667-6346bf9033c5','SessionStart','{"id":0,"launch":"993683aae0bf","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"SessionStart","at_ms":1795669955076,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"","tool_input":"","source":"resume","notice":""}');
INSERT INTO "hook_calls" VALUES(40,1795669955527,'one','backup','e19381bdf9be','faae1021-b83a-419a-b56d-1d8bac6966ca','UserPromptSubmit','{"id":0,"launch":"e19381bdf9be","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"UserPromptSubmit","at_ms":1795669955527,"agent":"","prompt":"words 4 to one","background":null,"error":"","message":"","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(41,1795669955556,'three','backup','b97209a155cc','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','UserPromptSubmit','{"id":0,"launch":"b97209a155cc","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"UserPromptSubmit","at_ms":1795669955556,"agent":"","prompt":"words 6 to three","background":null,"error":"","message":"","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(42,1795669955579,'two','backup','993683aae0bf','60ceefb9-e8f0-444b-b667-6346bf9033c5','UserPromptSubmit','{"id":0,"launch":"993683aae0bf","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"UserPromptSubmit","at_ms":1795669955579,"agent":"","prompt":"words 5 to two","background":null,"error":"","message":"","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(43,1795669955644,'one','backup','e19381bdf9be','faae1021-b83a-419a-b56d-1d8bac6966ca','Stop','{"id":0,"launch":"e19381bdf9be","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","hook":"Stop","at_ms":1795669955644,"agent":"","prompt":"","background":0,"error":"","message":"Answer to text 3 with 3 results: words 4 to one","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(44,1795669955666,'two','backup','993683aae0bf','60ceefb9-e8f0-444b-b667-6346bf9033c5','Stop','{"id":0,"launch":"993683aae0bf","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","hook":"Stop","at_ms":1795669955666,"agent":"","prompt":"","background":0,"error":"","message":"Answer to text 3 with 3 results: words 5 to two","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(45,1795669955699,'three','backup','b97209a155cc','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','Stop','{"id":0,"launch":"b97209a155cc","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"Stop","at_ms":1795669955699,"agent":"","prompt":"","background":0,"error":"","message":"Answer to text 3 with 3 results: words 6 to three","tool":"","tool_input":"","source":"","notice":""}');
INSERT INTO "hook_calls" VALUES(46,1795669956821,'three','backup','b97209a155cc','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','SessionEnd','{"id":0,"launch":"b97209a155cc","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","hook":"SessionEnd","at_ms":1795669956821,"agent":"","prompt":"","background":null,"error":"","message":"","tool":"","tool_input":"","source":"","notice":""}');
CREATE TABLE journal (          -- account-switcher: each step, written before it is done
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    move          INTEGER NOT NULL REFERENCES moves (id),
    at_ms         INTEGER NOT NULL,
    was           TEXT NOT NULL,
    state         TEXT NOT NULL,
    why           TEXT NOT NULL
);
INSERT INTO "journal" VALUES(1,1,1795669954381,'queued','holding','its turn has come');
INSERT INTO "journal" VALUES(2,2,1795669954382,'queued','holding','its turn has come');
INSERT INTO "journal" VALUES(3,3,1795669954383,'queued','holding','its turn has come');
INSERT INTO "journal" VALUES(4,1,1795669954392,'holding','at_boundary','idle');
INSERT INTO "journal" VALUES(5,1,1795669954394,'at_boundary','checkpointed','idle');
INSERT INTO "journal" VALUES(6,1,1795669954395,'checkpointed','stopping','idle');
INSERT INTO "journal" VALUES(7,2,1795669954397,'holding','at_boundary','idle');
INSERT INTO "journal" VALUES(8,2,1795669954399,'at_boundary','checkpointed','idle');
INSERT INTO "journal" VALUES(9,2,1795669954402,'checkpointed','stopping','idle');
INSERT INTO "journal" VALUES(10,2,1795669954477,'stopping','dead','its process is proven dead');
INSERT INTO "journal" VALUES(11,2,1795669954495,'dead','relaunching','no process is on its conversation; starting it under backup');
INSERT INTO "journal" VALUES(12,1,1795669954548,'stopping','dead','its process is proven dead');
INSERT INTO "journal" VALUES(13,2,1795669954577,'relaunching','relaunched','its new process runs');
INSERT INTO "journal" VALUES(14,1,1795669954591,'dead','relaunching','no process is on its conversation; starting it under backup');
INSERT INTO "journal" VALUES(15,1,1795669954665,'relaunching','relaunched','its new process runs');
INSERT INTO "journal" VALUES(16,1,1795669954863,'relaunched','verified','it is idle under backup');
INSERT INTO "journal" VALUES(17,2,1795669954865,'relaunched','verified','it is idle under backup');
INSERT INTO "journal" VALUES(18,3,1795669954883,'holding','at_boundary','idle');
INSERT INTO "journal" VALUES(19,3,1795669954900,'at_boundary','checkpointed','idle');
INSERT INTO "journal" VALUES(20,3,1795669954903,'checkpointed','stopping','idle');
INSERT INTO "journal" VALUES(21,3,1795669954933,'stopping','dead','its process is proven dead');
INSERT INTO "journal" VALUES(22,3,1795669954952,'dead','relaunching','no process is on its conversation; starting it under backup');
INSERT INTO "journal" VALUES(23,3,1795669955000,'relaunching','relaunched','its new process runs');
INSERT INTO "journal" VALUES(24,3,1795669955127,'relaunched','verified','it is idle under backup');
INSERT INTO "journal" VALUES(25,4,1795669956779,'queued','holding','its turn has come');
INSERT INTO "journal" VALUES(26,4,1795669956788,'holding','at_boundary','idle');
INSERT INTO "journal" VALUES(27,4,1795669956790,'at_boundary','checkpointed','idle');
INSERT INTO "journal" VALUES(28,4,1795669956793,'checkpointed','stopping','idle');
INSERT INTO "journal" VALUES(29,4,1795669956906,'stopping','dead','its process is proven dead');
INSERT INTO "journal" VALUES(30,4,1795669956947,'dead','stopped','stopped, as ordered');
CREATE TABLE logins (           -- quota-monitor: what the last look at each login found
    account       TEXT PRIMARY KEY,
    expires_at    INTEGER NOT NULL            -- epoch seconds
) WITHOUT ROWID;
CREATE TABLE moves (            -- account-switcher
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    swap          INTEGER NOT NULL REFERENCES swaps (id),
    session       TEXT NOT NULL,
    state         TEXT NOT NULL,              -- failover/core/move.py
    body          TEXT NOT NULL
);
INSERT INTO "moves" VALUES(1,1,'one','verified','{"id":1,"swap":1,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","cwd":"/home/op/projects/app","source":"main","target":"backup","kind":"swap","state":"verified","fresh":null,"pane":"%0","pid":31678,"start":131707,"server_pid":31676,"server_start":131706,"outcome":"idle","limited":false,"held_prompt":"","noted_call":33,"cut_off":"","prompt":"","launch":"e19381bdf9be","new_pid":32312,"new_start":132062,"since_size":13447,"launches":1,"refused":[],"limits":[],"pinned":"backup","bill":2100,"why":"it is idle under backup","at":{"holding":1320.405,"at_boundary":1320.415,"checkpointed":1320.417,"stopping":1320.418,"dead":1320.571,"relaunching":1320.614,"relaunched":1320.672,"verified":1320.887}}');
INSERT INTO "moves" VALUES(2,1,'three','verified','{"id":2,"swap":1,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","cwd":"/home/op/projects/site","source":"main","target":"backup","kind":"swap","state":"verified","fresh":null,"pane":"%2","pid":31717,"start":131722,"server_pid":31676,"server_start":131706,"outcome":"idle","limited":false,"held_prompt":"","noted_call":33,"cut_off":"","prompt":"","launch":"b97209a155cc","new_pid":32295,"new_start":132053,"since_size":13457,"launches":1,"refused":[],"limits":[],"pinned":"backup","bill":2100,"why":"it is idle under backup","at":{"holding":1320.406,"at_boundary":1320.42,"checkpointed":1320.422,"stopping":1320.426,"dead":1320.5,"relaunching":1320.518,"relaunched":1320.592,"verified":1320.889}}');
INSERT INTO "moves" VALUES(3,1,'two','verified','{"id":3,"swap":1,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","cwd":"/home/op/projects/app","source":"main","target":"backup","kind":"swap","state":"verified","fresh":null,"pane":"%1","pid":31707,"start":131719,"server_pid":31676,"server_start":131706,"outcome":"idle","limited":false,"held_prompt":"","noted_call":37,"cut_off":"","prompt":"","launch":"993683aae0bf","new_pid":32353,"new_start":132100,"since_size":13427,"launches":1,"refused":[],"limits":[],"pinned":"backup","bill":2100,"why":"it is idle under backup","at":{"holding":1320.406,"at_boundary":1320.906,"checkpointed":1320.923,"stopping":1320.926,"dead":1320.955,"relaunching":1320.975,"relaunched":1321.017,"verified":1321.151}}');
INSERT INTO "moves" VALUES(4,2,'three','stopped','{"id":4,"swap":2,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","cwd":"/home/op/projects/site","source":"backup","target":"","kind":"stop","state":"stopped","fresh":null,"pane":"%2","pid":32295,"start":132053,"server_pid":31676,"server_start":131706,"outcome":"idle","limited":false,"held_prompt":"","noted_call":45,"cut_off":"","prompt":"","launch":"","new_pid":0,"new_start":0,"since_size":16326,"launches":0,"refused":[],"limits":[],"pinned":"backup","bill":0,"why":"stopped, as ordered","at":{"holding":1322.802,"at_boundary":1322.811,"checkpointed":1322.814,"stopping":1322.816,"dead":1322.929,"stopped":1322.97}}');
CREATE TABLE order_keys (       -- control-plane: what was answered to an order that had a key of its sender's
    key     TEXT PRIMARY KEY,
    at_ms   INTEGER NOT NULL,
    request TEXT NOT NULL,                    -- digest of what was asked for
    answer  TEXT NOT NULL
);
CREATE TABLE order_results (    -- account-switcher
    order_id INTEGER PRIMARY KEY,
    at_ms    INTEGER NOT NULL,
    outcome  TEXT NOT NULL,                   -- done | refused | failed
    sentence TEXT NOT NULL,
    detail   TEXT NOT NULL DEFAULT '{}'
);
INSERT INTO "order_results" VALUES(1,1795669951204,'done','started 3 sessions','{}');
INSERT INTO "order_results" VALUES(2,1795669955130,'done','swap 1: moved 3 of 3 sessions in 0.9 s (about 6 k tokens of context to be cached anew)','{}');
INSERT INTO "order_results" VALUES(3,1795669956956,'done','swap 2: stopped 1 of 1 sessions in 0.2 s','{}');
CREATE TABLE orders (           -- control-plane
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms   INTEGER NOT NULL,
    verb    TEXT NOT NULL,
    args    TEXT NOT NULL,
    by      TEXT NOT NULL
);
INSERT INTO "orders" VALUES(1,1795669951008,'launch','{"sessions":[],"to":"main","dry_run":false,"account":"","seconds":0.0,"task":0}','root at the command line');
INSERT INTO "orders" VALUES(2,1795669954193,'swap','{"sessions":[],"to":"backup","dry_run":false,"account":"","seconds":0.0,"task":0}','root at the command line');
INSERT INTO "orders" VALUES(3,1795669956756,'stop','{"sessions":["three"],"to":"","dry_run":false,"account":"","seconds":0.0,"task":0}','root at the command line');
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
INSERT INTO "outbox" VALUES(1,'otlp',138,1795669954201,1795669954203,'swap.started','info','3 sessions of main move to backup: ordered by root at the command line; about 6 k tokens of context to be cached anew.','{"accounts":["main","backup"],"sessions":["one","three","two"],"projects":["/home/op/projects/app","/home/op/projects/site"],"task":0,"swap":1,"sink":""}',0,1);
INSERT INTO "outbox" VALUES(3,'otlp',206,1795669955130,1795669955133,'swap.finished','info','Swap 1 is done: moved 3 of 3 sessions in 0.9 s (about 6 k tokens of context to be cached anew).','{"accounts":["main","backup"],"sessions":[],"projects":[],"task":0,"swap":1,"sink":""}',0,0);
INSERT INTO "outbox" VALUES(5,'otlp',241,1795669956364,1795669956366,'operator.account-disabled','info','Account main is disabled by root at the command line: nothing is moved to it.','{"accounts":["main"],"sessions":[],"projects":[],"task":0,"swap":0,"sink":""}',0,0);
INSERT INTO "outbox" VALUES(7,'otlp',243,1795669956764,1795669956766,'swap.started','info','1 session of backup move to : ordered by root at the command line.','{"accounts":["backup"],"sessions":["three"],"projects":["/home/op/projects/site"],"task":0,"swap":2,"sink":""}',0,0);
INSERT INTO "outbox" VALUES(9,'otlp',258,1795669956956,1795669956961,'swap.finished','info','Swap 2 is done: stopped 1 of 1 sessions in 0.2 s.','{"accounts":["backup"],"sessions":[],"projects":[],"task":0,"swap":2,"sink":""}',0,0);
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
    given_up      TEXT NOT NULL DEFAULT ''    -- why it is not brought back by itself: people were told
);
INSERT INTO "placements" VALUES('one','backup','faae1021-b83a-419a-b56d-1d8bac6966ca','/home/op/projects/app','running','e19381bdf9be','backup','%0',32312,132062,13447,31676,131706,'');
INSERT INTO "placements" VALUES('two','backup','60ceefb9-e8f0-444b-b667-6346bf9033c5','/home/op/projects/app','running','993683aae0bf','backup','%1',32353,132100,13427,31676,131706,'');
INSERT INTO "placements" VALUES('three','backup','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5','/home/op/projects/site','stopped','','backup','%2',0,0,16326,31676,131706,'');
CREATE TABLE polls (            -- quota-monitor: who was asked for readings last; back-off outlives a restart with it
    name          TEXT PRIMARY KEY,           -- account/NAME, or command for the operator's own
    asked_ms      INTEGER NOT NULL,
    failures      INTEGER NOT NULL,           -- in a row; 0: the last answer was one
    said          TEXT NOT NULL,              -- what came of it, in a sentence
    pid           INTEGER NOT NULL DEFAULT 0, -- with start: the process that was asked, while it runs
    start         INTEGER NOT NULL DEFAULT 0
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
INSERT INTO "readings" VALUES(1,'main','five_hour',41.0,1795673545,1795669952319,'statusline','one');
INSERT INTO "readings" VALUES(2,'main','seven_day',5.0,1795969945,1795669952319,'statusline','one');
INSERT INTO "readings" VALUES(3,'backup','five_hour',7.0,1795673545,1795669955768,'statusline','one');
INSERT INTO "readings" VALUES(4,'backup','seven_day',5.0,1795969945,1795669955768,'statusline','one');
CREATE TABLE roles (            -- every role, its own row
    role    TEXT PRIMARY KEY,
    boot    TEXT NOT NULL,
    pid     INTEGER NOT NULL,
    start   INTEGER NOT NULL,                 -- clock ticks since the host's boot, /proc/PID/stat field 22
    at_ms   INTEGER NOT NULL,
    did     TEXT NOT NULL DEFAULT '',         -- the sentence of its last cycle
    config  TEXT NOT NULL DEFAULT '{}'        -- a fingerprint of each top-level key of the configuration it has taken
);
INSERT INTO "roles" VALUES('session-watcher','1a7c8f1ee0fbd23a',31221,131312,1795669956957,'three is stopped','{"version":"6b86b273ff34fce1","state_dir":"aa910dec5ac75078","shared_dir":"a9e10a48d0e06639","claude":"3e4f54b070c4928c","accounts":"f054026a0fc67fe3","thresholds":"c1249836f23c05d5","sessions":"96e0da8eeeaae75e","projects":"bb32bc415d320c2a","failover":"fa31c2aac785deb9","usage":"13885a40a13fceef","http":"e5363ed349f75111","tmux":"3dd1eb6b80f132b5","notify":"bb1a267b40871be6","log":"cff227c946fa1f5d","dispatch":"f56ad79357fe0137","retention":"375eeb03f260b2fe","janitor":"5a20d982fd76dae0","replay":"19853530971b774a","sessions_restart":"634635a2166efa2a"}');
INSERT INTO "roles" VALUES('bus','1920f4334af5d380',31197,131291,1795669949289,'Forwarding envelopes','{"version":"6b86b273ff34fce1","state_dir":"aa910dec5ac75078","shared_dir":"a9e10a48d0e06639","claude":"3e4f54b070c4928c","accounts":"f054026a0fc67fe3","thresholds":"c1249836f23c05d5","sessions":"96e0da8eeeaae75e","projects":"bb32bc415d320c2a","failover":"fa31c2aac785deb9","usage":"13885a40a13fceef","http":"e5363ed349f75111","tmux":"3dd1eb6b80f132b5","notify":"bb1a267b40871be6","log":"cff227c946fa1f5d","dispatch":"f56ad79357fe0137","retention":"375eeb03f260b2fe","janitor":"5a20d982fd76dae0","replay":"19853530971b774a","sessions_restart":"634635a2166efa2a"}');
INSERT INTO "roles" VALUES('checkpoint','1d7664411d3e3a5e',31201,131292,1795669956962,'noted three (started anew)','{"version":"6b86b273ff34fce1","state_dir":"aa910dec5ac75078","shared_dir":"a9e10a48d0e06639","claude":"3e4f54b070c4928c","accounts":"f054026a0fc67fe3","thresholds":"c1249836f23c05d5","sessions":"96e0da8eeeaae75e","projects":"bb32bc415d320c2a","failover":"fa31c2aac785deb9","usage":"13885a40a13fceef","http":"e5363ed349f75111","tmux":"3dd1eb6b80f132b5","notify":"bb1a267b40871be6","log":"cff227c946fa1f5d","dispatch":"f56ad79357fe0137","retention":"375eeb03f260b2fe","janitor":"5a20d982fd76dae0","replay":"19853530971b774a","sessions_restart":"634635a2166efa2a"}');
INSERT INTO "roles" VALUES('quota-monitor','21eb3a1c3a780e40',31218,131308,1795669956962,'every account in use is below its thresholds','{"version":"6b86b273ff34fce1","state_dir":"aa910dec5ac75078","shared_dir":"a9e10a48d0e06639","claude":"3e4f54b070c4928c","accounts":"f054026a0fc67fe3","thresholds":"c1249836f23c05d5","sessions":"96e0da8eeeaae75e","projects":"bb32bc415d320c2a","failover":"fa31c2aac785deb9","usage":"13885a40a13fceef","http":"e5363ed349f75111","tmux":"3dd1eb6b80f132b5","notify":"bb1a267b40871be6","log":"cff227c946fa1f5d","dispatch":"f56ad79357fe0137","retention":"375eeb03f260b2fe","janitor":"5a20d982fd76dae0","replay":"19853530971b774a","sessions_restart":"634635a2166efa2a"}');
INSERT INTO "roles" VALUES('janitor','7a80d88fb9526943',31209,131296,1795669949777,'','{"version":"6b86b273ff34fce1","state_dir":"aa910dec5ac75078","shared_dir":"a9e10a48d0e06639","claude":"3e4f54b070c4928c","accounts":"f054026a0fc67fe3","thresholds":"c1249836f23c05d5","sessions":"96e0da8eeeaae75e","projects":"bb32bc415d320c2a","failover":"fa31c2aac785deb9","usage":"13885a40a13fceef","http":"e5363ed349f75111","tmux":"3dd1eb6b80f132b5","notify":"bb1a267b40871be6","log":"cff227c946fa1f5d","dispatch":"f56ad79357fe0137","retention":"375eeb03f260b2fe","janitor":"5a20d982fd76dae0","replay":"19853530971b774a","sessions_restart":"634635a2166efa2a"}');
INSERT INTO "roles" VALUES('account-switcher','131fdcc5b74ac752',31198,131291,1795669956963,'nothing to do','{"version":"6b86b273ff34fce1","state_dir":"aa910dec5ac75078","shared_dir":"a9e10a48d0e06639","claude":"3e4f54b070c4928c","accounts":"f054026a0fc67fe3","thresholds":"c1249836f23c05d5","sessions":"96e0da8eeeaae75e","projects":"bb32bc415d320c2a","failover":"fa31c2aac785deb9","usage":"13885a40a13fceef","http":"e5363ed349f75111","tmux":"3dd1eb6b80f132b5","notify":"bb1a267b40871be6","log":"cff227c946fa1f5d","dispatch":"f56ad79357fe0137","retention":"375eeb03f260b2fe","janitor":"5a20d982fd76dae0","replay":"19853530971b774a","sessions_restart":"634635a2166efa2a"}');
INSERT INTO "roles" VALUES('dispatcher','4863a6eea9c85a63',31206,131294,1795669957217,'queued later','{"version":"6b86b273ff34fce1","state_dir":"aa910dec5ac75078","shared_dir":"a9e10a48d0e06639","claude":"3e4f54b070c4928c","accounts":"f054026a0fc67fe3","thresholds":"c1249836f23c05d5","sessions":"96e0da8eeeaae75e","projects":"bb32bc415d320c2a","failover":"fa31c2aac785deb9","usage":"13885a40a13fceef","http":"e5363ed349f75111","tmux":"3dd1eb6b80f132b5","notify":"bb1a267b40871be6","log":"cff227c946fa1f5d","dispatch":"f56ad79357fe0137","retention":"375eeb03f260b2fe","janitor":"5a20d982fd76dae0","replay":"19853530971b774a","sessions_restart":"634635a2166efa2a"}');
INSERT INTO "roles" VALUES('notifier','ffb24998e51360ba',31210,131297,1795669956372,'told stdout of 1 notice','{"version":"6b86b273ff34fce1","state_dir":"aa910dec5ac75078","shared_dir":"a9e10a48d0e06639","claude":"3e4f54b070c4928c","accounts":"f054026a0fc67fe3","thresholds":"c1249836f23c05d5","sessions":"96e0da8eeeaae75e","projects":"bb32bc415d320c2a","failover":"fa31c2aac785deb9","usage":"13885a40a13fceef","http":"e5363ed349f75111","tmux":"3dd1eb6b80f132b5","notify":"bb1a267b40871be6","log":"cff227c946fa1f5d","dispatch":"f56ad79357fe0137","retention":"375eeb03f260b2fe","janitor":"5a20d982fd76dae0","replay":"19853530971b774a","sessions_restart":"634635a2166efa2a"}');
INSERT INTO "roles" VALUES('control-plane','39be9c81a482caa0',31202,131292,1795669949967,'Serving on /home/op/state/run/control.sock and http://127.0.0.1:41801; hooks of 0 sessions may have been missed while nobody listened','{"version":"6b86b273ff34fce1","state_dir":"aa910dec5ac75078","shared_dir":"a9e10a48d0e06639","claude":"3e4f54b070c4928c","accounts":"f054026a0fc67fe3","thresholds":"c1249836f23c05d5","sessions":"96e0da8eeeaae75e","projects":"bb32bc415d320c2a","failover":"fa31c2aac785deb9","usage":"13885a40a13fceef","http":"e5363ed349f75111","tmux":"3dd1eb6b80f132b5","notify":"bb1a267b40871be6","log":"cff227c946fa1f5d","dispatch":"f56ad79357fe0137","retention":"375eeb03f260b2fe","janitor":"5a20d982fd76dae0","replay":"19853530971b774a","sessions_restart":"634635a2166efa2a"}');
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
INSERT INTO "sessions" VALUES('one','idle',1795669955668,1795669955668,'faae1021-b83a-419a-b56d-1d8bac6966ca',32312,132062,'%0','','',0,'');
INSERT INTO "sessions" VALUES('two','idle',1795669955672,1795669955672,'60ceefb9-e8f0-444b-b667-6346bf9033c5',32353,132100,'%1','','',0,'');
INSERT INTO "sessions" VALUES('three','stopped',1795669956955,1795669956955,'911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',0,0,'%2','','',0,'');
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
INSERT INTO "sinks" VALUES('otlp',260,0,0,2,1795669954269,0,'http://127.0.0.1:9 cannot be reached: Connection refused',1.32475217533973545864e+03,'8c670a04-1cc6-471b-9d04-5df0a32130ad','[]',0,0);
INSERT INTO "sinks" VALUES('stdout',260,258,1795669956964,0,0,0,'',0.0,'','[]',0,0);
CREATE TABLE spent (            -- quota-monitor: what our sessions cost
    account       TEXT NOT NULL,
    day           INTEGER NOT NULL,           -- days since 1970, UTC
    usd           REAL NOT NULL,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
CREATE TABLE statuslines (      -- control-plane: the newest push of each session
    session       TEXT PRIMARY KEY,
    account       TEXT NOT NULL,
    launch        TEXT NOT NULL,
    conversation  TEXT NOT NULL,
    at_ms         INTEGER NOT NULL,
    body          TEXT NOT NULL
);
INSERT INTO "statuslines" VALUES('one','backup','e19381bdf9be','faae1021-b83a-419a-b56d-1d8bac6966ca',1795669955768,'{"rate_limits":{"five_hour": {"used_percentage": 7.0, "resets_at": 1795673545}, "seven_day": {"used_percentage": 5.0, "resets_at": 1795969945}},"context_window":{"total_input_tokens": 2100, "context_window_size": 1000000, "used_percentage": 0},"prompt_cache":{"warm": true, "recache_tokens_if_cold": 2100},"model":{"id": "claude-opus-5-5", "display_name": "Opus 5.5"},"version":"2.1.330","cost":{"total_cost_usd": 0.0072, "total_duration_ms": 953}}');
INSERT INTO "statuslines" VALUES('three','backup','b97209a155cc','911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5',1795669955828,'{"rate_limits":{"five_hour": {"used_percentage": 7.0, "resets_at": 1795673545}, "seven_day": {"used_percentage": 5.0, "resets_at": 1795969945}},"context_window":{"total_input_tokens": 2100, "context_window_size": 1000000, "used_percentage": 0},"prompt_cache":{"warm": true, "recache_tokens_if_cold": 2100},"model":{"id": "claude-opus-5-5", "display_name": "Opus 5.5"},"version":"2.1.330","cost":{"total_cost_usd": 0.0072, "total_duration_ms": 1023}}');
INSERT INTO "statuslines" VALUES('two','backup','993683aae0bf','60ceefb9-e8f0-444b-b667-6346bf9033c5',1795669956035,'{"rate_limits":{"five_hour": {"used_percentage": 7.0, "resets_at": 1795673545}, "seven_day": {"used_percentage": 5.0, "resets_at": 1795969945}},"context_window":{"total_input_tokens": 2100, "context_window_size": 1000000, "used_percentage": 0},"prompt_cache":{"warm": true, "recache_tokens_if_cold": 2100},"model":{"id": "claude-opus-5-5", "display_name": "Opus 5.5"},"version":"2.1.330","cost":{"total_cost_usd": 0.0072, "total_duration_ms": 898}}');
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
INSERT INTO "swaps" VALUES(1,'swap','main','backup','soft','ordered by root at the command line; about 6 k tokens of context to be cached anew',2,0,'done',1795669954201,1320.224443404,1920.224443404,'8c670a04-1cc6-471b-9d04-5df0a32130ad',1795669955130,'moved 3 of 3 sessions in 0.9 s (about 6 k tokens of context to be cached anew)','[]');
INSERT INTO "swaps" VALUES(2,'stop','backup','','soft','ordered by root at the command line',3,0,'done',1795669956764,1322.78771001,1922.78771001,'8c670a04-1cc6-471b-9d04-5df0a32130ad',1795669956956,'stopped 1 of 1 sessions in 0.2 s','[]');
CREATE TABLE sweep_order_results (  -- janitor: of the orders to sweep at once
    order_id INTEGER PRIMARY KEY,
    at_ms    INTEGER NOT NULL,
    outcome  TEXT NOT NULL,                   -- done | failed
    sentence TEXT NOT NULL,
    detail   TEXT NOT NULL DEFAULT '[]'       -- what was done, one entry a finding
);
CREATE TABLE task_order_results (  -- dispatcher: of the orders that are about a task
    order_id INTEGER PRIMARY KEY,
    at_ms    INTEGER NOT NULL,
    outcome  TEXT NOT NULL,                   -- done | refused | failed
    sentence TEXT NOT NULL,
    detail   TEXT NOT NULL DEFAULT '{}'
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
INSERT INTO "tasks" VALUES(1,'build','/home/op/projects/app','done',0,1,3,1795669952732,1795669952887,1795669953717,'','{"timeout":21600.0,"fresh":false,"anew":false,"session":"one","conversation":"faae1021-b83a-419a-b56d-1d8bac6966ca","launch":"2614c4865b87","account":"main","cwd":"/home/op/projects/app","since_call":9,"handed_call":9,"since_size":2821,"taken_call":10,"started_mono":1318.910476263,"host_boot":"8c670a04-1cc6-471b-9d04-5df0a32130ad","reason":"its turn ended","blocked":"","finish":{"outcome":"done","reason":"its turn ended","target":"build","message":"TASK-DONE build","figures":{"source":"statusline","at_ms":1795669953675,"context_tokens":2100,"context_window":1000000,"context_used":0.0,"output_tokens":null,"cost_usd":0.0048}},"returning":"","history":[]}');
INSERT INTO "tasks" VALUES(2,'lint','/home/op/projects/app','done',0,1,3,1795669952732,1795669952889,1795669953647,'','{"timeout":21600.0,"fresh":false,"anew":false,"session":"two","conversation":"60ceefb9-e8f0-444b-b667-6346bf9033c5","launch":"a5fa5296c98f","account":"main","cwd":"/home/op/projects/app","since_call":9,"handed_call":9,"since_size":2821,"taken_call":11,"started_mono":1318.912259205,"host_boot":"8c670a04-1cc6-471b-9d04-5df0a32130ad","reason":"its turn ended","blocked":"","finish":{"outcome":"done","reason":"its turn ended","target":"lint","message":"TASK-DONE lint","figures":{"source":"statusline","at_ms":1795669953644,"context_tokens":2100,"context_window":1000000,"context_used":0.0,"output_tokens":null,"cost_usd":0.006}},"returning":"","history":[]}');
INSERT INTO "tasks" VALUES(3,'ship','/home/op/projects/site','done',0,1,3,1795669952736,1795669952984,1795669953741,'','{"timeout":21600.0,"fresh":false,"anew":false,"session":"three","conversation":"911f0dd6-5ae6-4aa4-9b1c-c5c5fdca9ec5","launch":"2199775fae00","account":"main","cwd":"/home/op/projects/site","since_call":9,"handed_call":9,"since_size":2833,"taken_call":14,"started_mono":1319.00773658,"host_boot":"8c670a04-1cc6-471b-9d04-5df0a32130ad","reason":"its turn ended","blocked":"","finish":{"outcome":"done","reason":"its turn ended","target":"ship","message":"TASK-DONE ship","figures":{"source":"statusline","at_ms":1795669953695,"context_tokens":2100,"context_window":1000000,"context_used":0.0,"output_tokens":null,"cost_usd":0.006}},"returning":"","history":[]}');
INSERT INTO "tasks" VALUES(4,'later','/home/op/projects/site','queued',0,0,3,1795669957213,0,0,'','{"timeout":21600.0,"fresh":false,"anew":false,"session":"","conversation":"","launch":"","account":"","cwd":"","since_call":0,"handed_call":0,"since_size":0,"taken_call":0,"started_mono":0.0,"host_boot":"","reason":"","blocked":"","finish":null,"returning":"","history":[]}');
CREATE TABLE totals (           -- control-plane: what counters and histograms came to (failover/store/totals.py)
    name          TEXT NOT NULL,              -- with labels: of the series; both empty: the last event that is counted
    labels        TEXT NOT NULL,              -- values, as JSON
    value         TEXT NOT NULL,
    PRIMARY KEY (name, labels)
) WITHOUT ROWID;
CREATE INDEX order_keys_by_age ON order_keys (at_ms);
CREATE INDEX hook_calls_by_conversation ON hook_calls (conversation, id);
CREATE INDEX readings_by_window ON readings (account, window, observed_ms);
CREATE INDEX readings_by_arrival ON readings (account, window, id);
CREATE UNIQUE INDEX one_open_swap ON swaps (state) WHERE state = 'open';
CREATE INDEX swaps_by_kind ON swaps (kind, request_id);
CREATE INDEX swaps_of_accounts ON swaps (id, request_id) WHERE kind != 'fresh';
CREATE INDEX moves_by_swap ON moves (swap);
CREATE INDEX moves_by_session ON moves (session);
CREATE INDEX journal_by_move ON journal (move);
CREATE UNIQUE INDEX one_open_task ON tasks (project, name) WHERE state IN ('queued', 'delivering', 'running');
CREATE INDEX handed_tasks ON tasks (project) WHERE state IN ('delivering', 'running');
CREATE INDEX queued_tasks ON tasks (project, pin, priority DESC, queued_ms, id) WHERE state = 'queued';
CREATE INDEX ranked_tasks ON tasks (pin, priority DESC, queued_ms, id, project) WHERE state = 'queued';
CREATE INDEX checkpoints_by_session ON checkpoints (session, id);
CREATE INDEX outbox_by_sink ON outbox (sink, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('events',261);
INSERT INTO "sqlite_sequence" VALUES('decisions',4);
INSERT INTO "sqlite_sequence" VALUES('orders',3);
INSERT INTO "sqlite_sequence" VALUES('checkpoints',73);
INSERT INTO "sqlite_sequence" VALUES('hook_calls',46);
INSERT INTO "sqlite_sequence" VALUES('readings',4);
INSERT INTO "sqlite_sequence" VALUES('tasks',4);
INSERT INTO "sqlite_sequence" VALUES('swaps',2);
INSERT INTO "sqlite_sequence" VALUES('moves',4);
INSERT INTO "sqlite_sequence" VALUES('outbox',10);
INSERT INTO "sqlite_sequence" VALUES('journal',30);
COMMIT;
PRAGMA user_version = 2;
