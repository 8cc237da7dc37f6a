-- The same tables as in SQLite. Times are seconds since 1970 in UTC, money is in cents, ids are random texts.
CREATE TABLE meta (name text PRIMARY KEY, value text NOT NULL);
INSERT INTO meta VALUES ('audit_head', '0:0000000000000000000000000000000000000000000000000000000000000000');

-- A question to a person. At most one is live for a fingerprint and principal.
CREATE TABLE questions (
  id text COLLATE "C" PRIMARY KEY,
  code text NOT NULL,
  principal text NOT NULL,
  account text NOT NULL,          -- API host and team
  request text NOT NULL,          -- digest of what was asked for, without the plan's terms
  fingerprint text NOT NULL,      -- digest of everything, the plan's terms included
  text text NOT NULL,
  expected text NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'approved', 'declined', 'used', 'revoked', 'expired')),
  asked_at double precision NOT NULL,
  expires_at double precision NOT NULL,
  ttl double precision NOT NULL,  -- from a yes to its use, at most
  answered_at double precision,
  approved_until double precision,
  purchase text,
  missing text NOT NULL DEFAULT '' -- the channels through which a yes must still come, where one is not enough
);
CREATE UNIQUE INDEX live_questions ON questions (fingerprint, principal) WHERE state IN ('pending', 'approved');
CREATE INDEX questions_by_request ON questions (request, principal);
CREATE INDEX waiting_questions ON questions (principal, asked_at) WHERE state = 'pending';
CREATE INDEX questions_by_fingerprint ON questions (fingerprint, principal, state);
CREATE INDEX used_questions ON questions (purchase) WHERE purchase IS NOT NULL;

-- A purchase, free ones included. At most one of a key is unsettled.
CREATE TABLE purchases (
  id text COLLATE "C" PRIMARY KEY,
  account text NOT NULL,
  key text NOT NULL,              -- digest of API host, configuration, product and name
  principal text NOT NULL,
  request text NOT NULL,
  fingerprint text NOT NULL,
  product text NOT NULL,
  name text NOT NULL,
  plan text,
  counts bigint NOT NULL,
  state text NOT NULL CHECK (
    state IN ('prepared', 'sending', 'created', 'rejected', 'unknown', 'never_sent', 'mismatch', 'not_created', 'gone')
  ),
  question text COLLATE "C" REFERENCES questions (id),
  created_at double precision NOT NULL,
  sending_at double precision,
  finished_at double precision,
  settled_at double precision,
  receipt text                    -- the answer that was given, as JSON
);
CREATE UNIQUE INDEX unsettled_purchases ON purchases (key) WHERE state IN ('prepared', 'sending', 'unknown');
CREATE INDEX purchases_by_key ON purchases (key, created_at);
CREATE INDEX purchases_by_account ON purchases (account, created_at, id, state, counts);
CREATE INDEX purchases_by_principal ON purchases (principal, created_at, id);
CREATE INDEX purchases_by_time ON purchases (created_at, id);
CREATE INDEX purchases_under_way ON purchases (created_at) WHERE state IN ('prepared', 'sending');
CREATE INDEX unknown_purchases ON purchases (account, product) WHERE state = 'unknown';
CREATE INDEX mismatches ON purchases (account) WHERE state = 'mismatch' AND settled_at IS NULL;

-- Append-only; each hash covers the one before it. Head and count stand in meta.
CREATE TABLE audit (
  seq bigint PRIMARY KEY,
  at double precision NOT NULL,
  kind text NOT NULL,
  subject text NOT NULL,
  detail text NOT NULL,
  hash text NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject, seq);
CREATE INDEX askings ON audit (at) WHERE kind = 'asked';
CREATE FUNCTION refuse_to_change_the_audit_log() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_audit_log();
