# What servers read when they start. The keys and the first accounts have no value here: bin/put-secrets makes them once, so that they
# are in no state, and nothing that Terraform does can change or lose them. The password of MySQL's master is RDS's own secret, which no server reads.

resource "aws_secretsmanager_secret" "keys" {
  name                    = "fest/${var.name}/keys"
  description             = "JSON: jwtSecret, queueTokenSecret, ticketSigningSeed. Made by bin/put-secrets; the seed must never change while tickets are valid"
  recovery_window_in_days = var.recovery_days

  lifecycle {
    prevent_destroy = true
  }
}

# A user with rights on one schema (bin/make-mysql-user), and not the master, whose password AWS keeps.
resource "aws_secretsmanager_secret" "mysql" {
  name                    = "fest/${var.name}/mysql"
  description             = "JSON: username, password of the server's user of MySQL. Made by bin/put-secrets, told to MySQL by bin/make-mysql-user"
  recovery_window_in_days = var.recovery_days
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
