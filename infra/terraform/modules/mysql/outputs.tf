output "address" {
  description = "Host name; it stays when the standby takes over."
  value       = aws_db_instance.this.address
}

output "database" {
  description = "Name of the database."
  value       = aws_db_instance.this.db_name
}

output "secret_arn" {
  description = "Secret with username and password, which AWS keeps."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "identifier" {
  description = "What the database is called in CloudWatch and on the command line."
  value       = aws_db_instance.this.identifier
}

output "safety" {
  description = "What keeps the database: a standby, days of backups, protection from deletion."
  value = {
    standby             = aws_db_instance.this.multi_az
    backup_days         = aws_db_instance.this.backup_retention_period
    deletion_protection = aws_db_instance.this.deletion_protection
  }
}
