-- What is needed to build a sale's Redis state anew at any moment, with several servers and several order logs: who has
-- acknowledged which epoch, which logs may still hold orders, which payments are unfinished, which orders are cancelled.

-- NULL: its server may come back with orders that nobody else knows. Set: everything in it is in MySQL, for good.
ALTER TABLE applier_positions ADD COLUMN retired_at_ms BIGINT NULL;

-- Sales whose Redis state is to be built anew, and under which epoch.
CREATE TABLE rebuilds (
  sale_id         INT UNSIGNED NOT NULL PRIMARY KEY,
  -- The one that begins; `sales.epoch` is still the one before.
  epoch           INT UNSIGNED NOT NULL,
  reason          VARCHAR(200) NOT NULL,
  requested_at_ms BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- The acknowledgement of a log: what it has of older epochs of the sale is in MySQL, and nothing older will follow.
CREATE TABLE log_epochs (
  log_id  CHAR(32) CHARACTER SET ascii NOT NULL,
  sale_id INT UNSIGNED NOT NULL,
  epoch   INT UNSIGNED NOT NULL,
  PRIMARY KEY (log_id, sale_id),
  KEY log_epochs_sale (sale_id, epoch)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Tombstones: orders that were given back, also those MySQL does not know yet because they are in a log that is applied
-- later. So it does not matter in which order logs are applied.
CREATE TABLE cancelled_orders (
  order_id        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  sale_id         INT UNSIGNED NOT NULL,
  -- 'cancelling' from the refund's start, 'cancelled' when all of it is done; never the other way.
  status          VARCHAR(10) CHARACTER SET ascii NOT NULL,
  cancelled_at_ms BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Unfinished payments of a log as of its position: with them a server that starts reads only what is behind the position.
ALTER TABLE payments
  ADD COLUMN log_id CHAR(32) CHARACTER SET ascii NULL,
  -- 1 while somebody has to go on with it, else NULL.
  ADD COLUMN unfinished TINYINT UNSIGNED NULL,
  -- The log record (JSON) to go on from: the intent, or the start of the refund. NULL once it is finished.
  ADD COLUMN record MEDIUMTEXT NULL,
  ADD KEY payments_unfinished (log_id, unfinished);

-- Until now a refund counted as done when it began. What became of it is in the log, which is applied again, below.
UPDATE payments SET status = 'pending' WHERE status = 'refunded';

-- Tombstones and unfinished payments of the past come from the logs: they are applied once more from their beginning. That
-- changes nothing about what is there already.
UPDATE applier_positions SET lsn = 0;
