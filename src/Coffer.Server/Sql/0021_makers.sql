-- Which user of the dashboard stands behind a credential: he made it, or made the client or key that made it, past any number of steps.
-- So nobody decides about a withdrawal that he asked for with a key of his own. Null: the operator's command made it.

ALTER TABLE oauth_client ADD COLUMN made_by uuid;
ALTER TABLE credential ADD COLUMN made_by uuid;
