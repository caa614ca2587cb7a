-- Layers are kept by an id that is not always the diff id, and remember what they came as.

ALTER TABLE layers RENAME COLUMN diff_id TO id;
ALTER TABLE image_layers RENAME COLUMN diff_id TO id;
ALTER TABLE image_layers ADD COLUMN blob TEXT;                -- NULL: not known
ALTER TABLE image_layers ADD COLUMN blob_size INTEGER NOT NULL DEFAULT 0;
DROP INDEX image_layers_diff_id;
CREATE INDEX image_layers_id ON image_layers (id);
