-- Sessions: when the user has last shown again that it is himself who sits there; null: when he signed in.

ALTER TABLE credential ADD COLUMN proved_at timestamptz;
