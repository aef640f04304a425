-- Versions of a sale's settings are at least the time in milliseconds, which needs more than 32 bits.
ALTER TABLE sales MODIFY version BIGINT UNSIGNED NOT NULL DEFAULT 1;
