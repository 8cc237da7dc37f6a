-- What still needs a yes before a question is approved, where one channel alone is not enough.
ALTER TABLE questions ADD COLUMN missing TEXT NOT NULL DEFAULT '';

-- Every statement of a purchase finds its rows through one of these, however many others there are.
DROP INDEX pending_questions;
DROP INDEX questions_by_principal;
CREATE INDEX waiting_questions ON questions (principal, asked_at) WHERE state = 'pending';
CREATE INDEX questions_by_fingerprint ON questions (fingerprint, principal, state);
CREATE INDEX used_questions ON questions (purchase) WHERE purchase IS NOT NULL;
DROP INDEX purchases_by_account;
DROP INDEX purchases_by_time;
CREATE INDEX purchases_by_account ON purchases (account, created_at, id, state, counts);
CREATE INDEX purchases_by_principal ON purchases (principal, created_at, id);
CREATE INDEX purchases_by_time ON purchases (created_at, id);
CREATE INDEX unknown_purchases ON purchases (account, product) WHERE state = 'unknown';
