# What servers read when they start. The keys and the first accounts have no value here: bin/put-secrets makes them once, so that they
# are in no state, and nothing that Terraform does can change or lose them. The password of MySQL is RDS's own secret.

resource "aws_secretsmanager_secret" "keys" {
  name                    = "fest/${var.name}/keys"
  description             = "JSON: jwtSecret, queueTokenSecret, ticketSigningSeed. Made by bin/put-secrets; the seed must never change while tickets are valid"
  recovery_window_in_days = var.recovery_days

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_secretsmanager_secret" "accounts" {
  name                    = "fest/${var.name}/accounts"
  description             = "JSON list of accounts to create at start: {email, password, name, roles}. Made by bin/put-secrets"
  recovery_window_in_days = var.recovery_days
}

resource "aws_secretsmanager_secret" "redis" {
  name                    = "fest/${var.name}/redis"
  description             = "Password of Redis"
  recovery_window_in_days = var.recovery_days
}

resource "aws_secretsmanager_secret_version" "redis" {
  secret_id     = aws_secretsmanager_secret.redis.id
  secret_string = var.redis_auth_token
}
