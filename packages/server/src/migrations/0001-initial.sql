-- Times are Unix milliseconds (UTC) and money is in integer minor units: both are exact, and neither depends on the
-- time zone of a connection. Portable SQL: MySQL 8.4 and 9, MariaDB from 10.6.

CREATE TABLE accounts (
  id            BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- NULL once the account was deleted; the row stays because orders refer to it.
  email         VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  password_hash VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  name          VARCHAR(100) NOT NULL,
  roles         VARCHAR(100) CHARACTER SET ascii NOT NULL,
  created_at_ms BIGINT NOT NULL,
  deleted_at_ms BIGINT NULL,
  UNIQUE KEY accounts_email (email)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE sessions (
  -- One row per login. Each refresh replaces the token; showing an old one again ends the session (it was stolen).
  id                  BINARY(16) NOT NULL PRIMARY KEY,
  account_id          BIGINT UNSIGNED NOT NULL,
  token_hash          BINARY(32) NOT NULL,
  previous_token_hash BINARY(32) NULL,
  created_at_ms       BIGINT NOT NULL,
  refreshed_at_ms     BIGINT NOT NULL,
  expires_at_ms       BIGINT NOT NULL,
  revoked_at_ms       BIGINT NULL,
  UNIQUE KEY sessions_token (token_hash),
  KEY sessions_previous (previous_token_hash),
  KEY sessions_account (account_id),
  KEY sessions_expires (expires_at_ms),
  CONSTRAINT sessions_account_fk FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE idempotency_keys (
  -- SHA-256 over route, account and key: one index whatever the key's length.
  id             BINARY(32) NOT NULL PRIMARY KEY,
  fingerprint    BINARY(32) NOT NULL,
  -- NULL while the first request is still being worked on.
  status         SMALLINT UNSIGNED NULL,
  -- Encrypted: answers can hold tokens.
  sealed_body    MEDIUMBLOB NULL,
  created_at_ms  BIGINT NOT NULL,
  KEY idempotency_keys_created (created_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE festivals (
  id            INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  organizer_id  BIGINT UNSIGNED NOT NULL,
  -- Set by `fest seed`, so that a file can be applied again.
  seed_key      VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  title         VARCHAR(200) NOT NULL,
  description   TEXT NOT NULL,
  venue         VARCHAR(200) NOT NULL,
  starts_at_ms  BIGINT NOT NULL,
  ends_at_ms    BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  UNIQUE KEY festivals_seed_key (seed_key),
  KEY festivals_organizer (organizer_id),
  CONSTRAINT festivals_organizer_fk FOREIGN KEY (organizer_id) REFERENCES accounts (id),
  CONSTRAINT festivals_times CHECK (starts_at_ms < ends_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE sales (
  id                INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  festival_id       INT UNSIGNED NOT NULL,
  seed_key          VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  name              VARCHAR(200) NOT NULL,
  price             BIGINT NOT NULL,
  currency          CHAR(3) CHARACTER SET ascii NOT NULL,
  capacity          INT UNSIGNED NOT NULL,
  limit_per_buyer   SMALLINT UNSIGNED NOT NULL,
  opens_at_ms       BIGINT NOT NULL,
  closes_at_ms      BIGINT NOT NULL,
  refund_until_ms   BIGINT NOT NULL,
  rejoin            VARCHAR(10) CHARACTER SET ascii NOT NULL,
  hold_seconds      INT UNSIGNED NOT NULL,
  admission_seconds INT UNSIGNED NOT NULL,
  -- Grows with every change of the columns above, and is at least the time in milliseconds; Redis takes newer settings only.
  version           BIGINT UNSIGNED NOT NULL DEFAULT 1,
  -- Written by the applier from the order log, so that they survive the loss of Redis.
  phase             VARCHAR(10) CHARACTER SET ascii NOT NULL DEFAULT 'scheduled',
  phase_seq         BIGINT UNSIGNED NOT NULL DEFAULT 0,
  admission_mode    VARCHAR(10) CHARACTER SET ascii NOT NULL DEFAULT 'fixed',
  per_second        INT UNSIGNED NOT NULL,
  max_active        INT UNSIGNED NOT NULL,
  admission_seq     BIGINT UNSIGNED NOT NULL DEFAULT 0,
  epoch             INT UNSIGNED NOT NULL DEFAULT 1,
  created_at_ms     BIGINT NOT NULL,
  UNIQUE KEY sales_seed_key (festival_id, seed_key),
  CONSTRAINT sales_festival_fk FOREIGN KEY (festival_id) REFERENCES festivals (id),
  CONSTRAINT sales_numbers CHECK (price >= 0 AND capacity >= 1 AND limit_per_buyer >= 1),
  CONSTRAINT sales_times CHECK (opens_at_ms < closes_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE orders (
  order_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  payment_id  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sale_id     INT UNSIGNED NOT NULL,
  festival_id INT UNSIGNED NOT NULL,
  account_id  BIGINT UNSIGNED NOT NULL,
  confirm_seq BIGINT UNSIGNED NOT NULL,
  quantity    SMALLINT UNSIGNED NOT NULL,
  amount      BIGINT NOT NULL,
  currency    CHAR(3) CHARACTER SET ascii NOT NULL,
  status      VARCHAR(10) CHARACTER SET ascii NOT NULL,
  paid_at_ms  BIGINT NOT NULL,
  cancelled_at_ms BIGINT NULL,
  UNIQUE KEY orders_payment (payment_id),
  UNIQUE KEY orders_confirm_seq (sale_id, confirm_seq),
  KEY orders_account (account_id, paid_at_ms, order_id),
  -- For the start of a server: which cancellations were begun and not finished.
  KEY orders_status (status)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE tickets (
  sale_id          INT UNSIGNED NOT NULL,
  ticket_number    INT UNSIGNED NOT NULL,
  order_id         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  account_id       BIGINT UNSIGNED NOT NULL,
  -- 1 while the order lives, NULL once it is cancelled: the unique key then lets the number be sold again.
  live             TINYINT UNSIGNED NULL,
  checked_in_at_ms BIGINT NULL,
  checked_in_by    BIGINT UNSIGNED NULL,
  PRIMARY KEY (order_id, ticket_number),
  UNIQUE KEY tickets_number (sale_id, ticket_number, live),
  CONSTRAINT tickets_order_fk FOREIGN KEY (order_id) REFERENCES orders (order_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE payments (
  payment_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  sale_id      INT UNSIGNED NOT NULL,
  account_id   BIGINT UNSIGNED NOT NULL,
  amount       BIGINT NOT NULL,
  currency     CHAR(3) CHARACTER SET ascii NOT NULL,
  status       VARCHAR(10) CHARACTER SET ascii NOT NULL,
  failure_code VARCHAR(50) CHARACTER SET ascii NULL,
  updated_at_ms BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- How far each order log has been applied; moves in the same transaction as the rows it stands for.
CREATE TABLE applier_positions (
  log_id     CHAR(32) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  server     VARCHAR(100) NOT NULL,
  lsn        BIGINT UNSIGNED NOT NULL,
  updated_at_ms BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Records MySQL refused: isolated, reported, never dropped.
CREATE TABLE failed_records (
  log_id       CHAR(32) CHARACTER SET ascii NOT NULL,
  lsn          BIGINT UNSIGNED NOT NULL,
  record       MEDIUMTEXT NOT NULL,
  error        TEXT NOT NULL,
  failed_at_ms BIGINT NOT NULL,
  PRIMARY KEY (log_id, lsn)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Who changed what in a sale; from the order log.
CREATE TABLE operator_actions (
  log_id      CHAR(32) CHARACTER SET ascii NOT NULL,
  lsn         BIGINT UNSIGNED NOT NULL,
  sale_id     INT UNSIGNED NOT NULL,
  operator_id BIGINT UNSIGNED NULL,
  action      VARCHAR(30) CHARACTER SET ascii NOT NULL,
  detail      TEXT NOT NULL,
  at_ms       BIGINT NOT NULL,
  PRIMARY KEY (log_id, lsn),
  KEY operator_actions_sale (sale_id, at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
