-- What a report of a sale is made from, written while it runs by one process of the fleet. Of a row that two of them write the one
-- who knew everything is believed.

CREATE TABLE sale_samples (
  sale_id INT UNSIGNED NOT NULL,
  -- What a row tells of; it begins where the one before ended, unless nobody was there to write.
  to_ms   BIGINT NOT NULL,
  from_ms BIGINT NOT NULL,
  -- Redis answered, and the sale was as it had it.
  complete TINYINT UNSIGNED NOT NULL,
  sample  TEXT CHARACTER SET ascii NOT NULL,
  PRIMARY KEY (sale_id, to_ms),
  KEY sale_samples_age (to_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Refusals and waits of a sale, as one process has counted them in its whole life; of its reports the latest.
CREATE TABLE sale_tallies (
  sale_id       INT UNSIGNED NOT NULL,
  process_id    VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  beat          BIGINT UNSIGNED NOT NULL,
  tally         MEDIUMTEXT CHARACTER SET ascii NOT NULL,
  updated_at_ms BIGINT NOT NULL,
  PRIMARY KEY (sale_id, process_id),
  KEY sale_tallies_age (updated_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What happened in the fleet while sales ran; Redis has the last few hundred only.
CREATE TABLE fleet_events (
  event_id    VARCHAR(60) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  at_ms       BIGINT NOT NULL,
  kind        VARCHAR(20) CHARACTER SET ascii NOT NULL,
  level       VARCHAR(10) CHARACTER SET ascii NOT NULL,
  sale_id     INT UNSIGNED NULL,
  operator_id BIGINT UNSIGNED NULL,
  text        VARCHAR(300) NOT NULL,
  KEY fleet_events_age (at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- How payments of a sale ended, by outcome.
ALTER TABLE payments ADD KEY payments_sale (sale_id, status);
