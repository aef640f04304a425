mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name              = "fest-test"
  subnet_ids        = ["subnet-1", "subnet-2"]
  security_group_id = "sg-mysql"
  multi_az          = true

  notification_topic_arn = "arn:aws:sns:eu-central-1:123456789012:alarms"
}

run "the_database_is_private_encrypted_and_kept" {
  command = apply

  assert {
    condition     = !aws_db_instance.this.publicly_accessible
    error_message = "the database has no public address"
  }
  assert {
    condition     = aws_db_instance.this.vpc_security_group_ids == toset(["sg-mysql"])
    error_message = "only the group that lets in the servers is used"
  }
  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_db_instance.this.storage_type == "gp3"
    error_message = "the disk is encrypted"
  }
  assert {
    condition     = aws_db_instance.this.deletion_protection
    error_message = "the database is protected from deletion unless something else is said"
  }
  assert {
    condition     = !aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.final_snapshot_identifier == "fest-test-final"
    error_message = "a database that is deleted leaves a snapshot"
  }
  assert {
    condition     = aws_db_instance.this.backup_retention_period == 14 && !aws_db_instance.this.delete_automated_backups
    error_message = "backups go back 14 days, and outlive the database"
  }
  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null
    error_message = "the password is made by AWS and in no state"
  }
  assert {
    condition     = aws_secretsmanager_secret_rotation.password.rotate_immediately == false && aws_secretsmanager_secret_rotation.password.rotation_rules[0].automatically_after_days == 365
    error_message = "the password is not changed every week, which is what AWS would do"
  }
}

run "what_is_committed_is_durable_and_comes_by_tls" {
  command = apply

  assert {
    condition     = one([for p in aws_db_parameter_group.this.parameter : p.value if p.name == "require_secure_transport"]) == "1"
    error_message = "a connection without TLS is refused"
  }
  assert {
    condition     = one([for p in aws_db_parameter_group.this.parameter : p.value if p.name == "innodb_flush_log_at_trx_commit"]) == "1"
    error_message = "a commit is on disk"
  }
  assert {
    condition     = one([for p in aws_db_parameter_group.this.parameter : p.value if p.name == "sync_binlog"]) == "1"
    error_message = "the binary log, which backups are made of, is on disk with the commit"
  }
  assert {
    condition     = one([for p in aws_db_parameter_group.this.parameter : p.value if p.name == "time_zone"]) == "UTC"
    error_message = "the database keeps its times in UTC"
  }
  assert {
    condition     = aws_db_instance.this.engine_version == "8.4" && aws_db_parameter_group.this.family == "mysql8.4"
    error_message = "the engine is MySQL 8.4, and its parameters are of that family"
  }
  assert {
    condition     = aws_db_instance.this.multi_az
    error_message = "there is a standby where it is asked for"
  }
  assert {
    condition     = !aws_db_instance.this.apply_immediately && !aws_db_instance.this.allow_major_version_upgrade
    error_message = "nothing restarts the database outside of its window, and no major version comes by itself"
  }
  assert {
    condition     = toset(aws_db_instance.this.enabled_cloudwatch_logs_exports) == toset(["error", "slowquery"])
    error_message = "errors and slow statements are logged"
  }
  assert {
    condition     = { for group in aws_cloudwatch_log_group.this : group.name => group.retention_in_days } == { "/aws/rds/instance/fest-test/error" = 90, "/aws/rds/instance/fest-test/slowquery" = 90 }
    error_message = "what is logged is kept for 90 days, not for ever"
  }
  assert {
    condition     = aws_db_event_subscription.this.sns_topic == "arn:aws:sns:eu-central-1:123456789012:alarms" && contains(aws_db_event_subscription.this.event_categories, "failover") && aws_db_event_subscription.this.source_ids == toset([aws_db_instance.this.identifier])
    error_message = "operators hear of a failover"
  }
}

run "odd_names_one_zone_micro_machines_other_versions_small_disks_short_backups_and_weekly_passwords_are_refused" {
  command = plan
  variables {
    name           = "Fest"
    subnet_ids     = ["subnet-1"]
    instance_class = "db.t4g.micro"
    engine_version = "8.0"
    storage_gib    = 5
    backup_days    = 1
    password_days  = 7
    log_days       = 1

    notification_topic_arn = "sre@example.org"
    security_group_id      = "everybody"
  }
  expect_failures = [var.security_group_id, var.log_days, var.notification_topic_arn, var.name, var.subnet_ids, var.instance_class, var.engine_version, var.storage_gib, var.backup_days, var.password_days]
}

run "a_disk_that_cannot_grow_is_refused" {
  command = plan
  variables {
    storage_max_gib = 20
  }
  expect_failures = [var.storage_max_gib]
}
