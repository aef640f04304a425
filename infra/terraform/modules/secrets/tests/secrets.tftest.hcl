# Plans only: the keys cannot be destroyed, which is what a test does with what it has applied.
mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

variables {
  name             = "fest-test"
  redis_auth_token = "0123456789abcdef0123456789abcdef"
}

run "keys_are_in_no_state_and_can_be_had_back" {
  command = plan

  assert {
    condition     = output.names == { keys = "fest/fest-test/keys", mysql = "fest/fest-test/mysql", accounts = "fest/fest-test/accounts" }
    error_message = "bin/put-secrets is told the names of the secrets without a value"
  }
  assert {
    condition     = alltrue([for secret in [aws_secretsmanager_secret.keys, aws_secretsmanager_secret.mysql, aws_secretsmanager_secret.accounts, aws_secretsmanager_secret.redis] : secret.recovery_window_in_days == 30])
    error_message = "a deleted secret can be had back for 30 days"
  }
  assert {
    condition     = nonsensitive(aws_secretsmanager_secret_version.redis.secret_string) == "0123456789abcdef0123456789abcdef"
    error_message = "servers read the password that Redis has"
  }
}

run "odd_names_short_passwords_and_deletion_at_once_are_refused" {
  command = plan
  variables {
    name             = "Fest"
    redis_auth_token = "with a space, and punctuation that breaks a URL"
    recovery_days    = 0
  }
  expect_failures = [var.name, var.redis_auth_token, var.recovery_days]
}
