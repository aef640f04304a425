output "keys_arn" {
  description = "Secret with the three keys."
  value       = aws_secretsmanager_secret.keys.arn
}

output "accounts_arn" {
  description = "Secret with the accounts to create."
  value       = aws_secretsmanager_secret.accounts.arn
}

output "mysql_arn" {
  description = "Secret with the server's user of MySQL."
  value       = aws_secretsmanager_secret.mysql.arn
}

output "redis_arn" {
  description = "Secret with the password of Redis. To be read when it has a value."
  value       = aws_secretsmanager_secret_version.redis.arn
}

output "names" {
  description = "Names of the secrets that bin/put-secrets fills."
  value       = { keys = aws_secretsmanager_secret.keys.name, mysql = aws_secretsmanager_secret.mysql.name, accounts = aws_secretsmanager_secret.accounts.name }
}
