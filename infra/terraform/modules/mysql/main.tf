# The archive: orders, tickets, accounts. The truth about an order is in the order logs until it is here.

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "mysql8.4"
  description = "fest: TLS only, durable commits, UTC"

  dynamic "parameter" {
    for_each = {
      # A connection without TLS is refused.
      require_secure_transport = "1"
      tls_version              = "TLSv1.2,TLSv1.3"
      # What is committed survives a crash: the applier's position is committed with the orders, and the log moves on after it.
      innodb_flush_log_at_trx_commit = "1"
      sync_binlog                    = "1"
      character_set_server           = "utf8mb4"
      time_zone                      = "UTC"
      # Slower than any statement of the server should be.
      slow_query_log  = "1"
      long_query_time = "1"
      log_output      = "FILE"
    }

    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = contains(["tls_version"], parameter.key) ? "pending-reboot" : "immediate"
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

# Made here because RDS would make them itself, and keep them for ever.
resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["error", "slowquery"])

  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = var.log_days
}

resource "aws_db_instance" "this" {
  identifier     = var.name
  engine         = "mysql"
  engine_version = var.engine_version
  instance_class = var.instance_class
  multi_az       = var.multi_az

  db_name  = "fest"
  username = "fest"
  # The password is made and kept by AWS, in Secrets Manager: it is in no state, no plan and no variable.
  manage_master_user_password = true

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false
  port                   = 3306
  parameter_group_name   = aws_db_parameter_group.this.name
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  storage_type          = "gp3"
  storage_encrypted     = true
  allocated_storage     = var.storage_gib
  max_allocated_storage = var.storage_max_gib

  backup_retention_period   = var.backup_days
  backup_window             = "02:00-03:00"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  skip_final_snapshot       = false
  final_snapshot_identifier = "${var.name}-final"
  deletion_protection       = var.deletion_protection

  # Patches come at night; what restarts the database comes when an operator says so.
  maintenance_window              = "tue:03:00-tue:04:00"
  auto_minor_version_upgrade      = true
  allow_major_version_upgrade     = false
  apply_immediately               = false
  enabled_cloudwatch_logs_exports = keys(aws_cloudwatch_log_group.this)
}

# What no figure tells: that the standby has taken over, and that it is not well.
resource "aws_db_event_subscription" "this" {
  name             = var.name
  sns_topic        = var.notification_topic_arn
  source_type      = "db-instance"
  source_ids       = [aws_db_instance.this.identifier]
  event_categories = ["failover", "failure", "low storage", "maintenance", "recovery"]
}

resource "aws_secretsmanager_secret_rotation" "password" {
  secret_id          = aws_db_instance.this.master_user_secret[0].secret_arn
  rotate_immediately = false

  rotation_rules {
    automatically_after_days = var.password_days
  }
}
