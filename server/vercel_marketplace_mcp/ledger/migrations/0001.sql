-- Times are seconds since 1970 in UTC, money is in cents, ids are random texts.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO meta VALUES ('audit_head', '0:0000000000000000000000000000000000000000000000000000000000000000');

-- A question to a person. At most one is live for a fingerprint and principal.
CREATE TABLE questions (
  id TEXT PRIMARY KEY,
  code TEXT NOT NULL,
  principal TEXT NOT NULL,
  account TEXT NOT NULL,      -- API host and team
  request TEXT NOT NULL,      -- digest of what was asked for, without the plan's terms
  fingerprint TEXT NOT NULL,  -- digest of everything, the plan's terms included
  text TEXT NOT NULL,
  expected TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'declined', 'used', 'revoked', 'expired')),
  asked_at REAL NOT NULL,
  expires_at REAL NOT NULL,
  ttl REAL NOT NULL,          -- from a yes to its use, at most
  answered_at REAL,
  approved_until REAL,
  purchase TEXT
) STRICT;
CREATE UNIQUE INDEX live_questions ON questions (fingerprint, principal) WHERE state IN ('pending', 'approved');
CREATE INDEX questions_by_request ON questions (request, principal);
CREATE INDEX questions_by_principal ON questions (principal, asked_at);
CREATE INDEX pending_questions ON questions (code) WHERE state = 'pending';

-- A purchase, free ones included. At most one of a key is unsettled.
CREATE TABLE purchases (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  key TEXT NOT NULL,          -- digest of API host, configuration, product and name
  principal TEXT NOT NULL,
  request TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  product TEXT NOT NULL,
  name TEXT NOT NULL,
  plan TEXT,
  counts INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (
    state IN ('prepared', 'sending', 'created', 'rejected', 'unknown', 'never_sent', 'mismatch', 'not_created', 'gone')
  ),
  question TEXT REFERENCES questions (id),
  created_at REAL NOT NULL,
  sending_at REAL,
  finished_at REAL,
  settled_at REAL,
  receipt TEXT                -- the answer that was given, as JSON
) STRICT;
CREATE UNIQUE INDEX unsettled_purchases ON purchases (key) WHERE state IN ('prepared', 'sending', 'unknown');
CREATE INDEX purchases_by_key ON purchases (key, created_at);
CREATE INDEX purchases_by_account ON purchases (account, created_at);
CREATE INDEX purchases_by_time ON purchases (created_at);
CREATE INDEX purchases_under_way ON purchases (created_at) WHERE state IN ('prepared', 'sending');
CREATE INDEX mismatches ON purchases (account) WHERE state = 'mismatch' AND settled_at IS NULL;

-- Append-only; each hash covers the one before it. Head and count stand in meta.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_subject ON audit (subject, seq);
CREATE INDEX askings ON audit (at) WHERE kind = 'asked';
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_never_removed BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
