-- Restarts and starts that were asked for, by the generation that they made.

ALTER TABLE pods ADD COLUMN renewed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pods ADD COLUMN revived INTEGER NOT NULL DEFAULT 0;
