-- What records that MySQL refused are looked for by: a rebuild asks for the orders of one sale. NULL where a server of an
-- earlier release puts one aside. Wide enough for whatever a record says: setting it aside must not be refused as well.
ALTER TABLE failed_records
  ADD COLUMN sale_id BIGINT NULL,
  ADD COLUMN type VARCHAR(40) CHARACTER SET ascii NULL,
  ADD KEY failed_records_sale (sale_id, type);

UPDATE failed_records
   SET sale_id = CAST(JSON_UNQUOTE(JSON_EXTRACT(record, '$.saleId')) AS SIGNED),
       type = JSON_UNQUOTE(JSON_EXTRACT(record, '$.type'))
 WHERE JSON_VALID(record);

-- When the server of the log last said that it lives, Unix seconds of MySQL's own clock. NULL: it has never said so.
ALTER TABLE applier_positions ADD COLUMN seen_at_s BIGINT NULL;
