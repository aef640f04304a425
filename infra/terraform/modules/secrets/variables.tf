variable "name" {
  description = "Name of the deployment, first part of every name: 3 to 20 lower-case letters, digits and dashes."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must have 3 to 20 lower-case letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "redis_auth_token" {
  description = "Password of Redis, as it is given to the Redis module."
  type        = string
  sensitive   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9]{32,128}$", var.redis_auth_token))
    error_message = "redis_auth_token must have 32 to 128 letters and digits (openssl rand -hex 32)."
  }
}

variable "recovery_days" {
  description = "Days in which a deleted secret can be had back."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_days >= 7 && var.recovery_days <= 30
    error_message = "recovery_days must be from 7 to 30: without the ticket signing seed every ticket sold is refused at the gate."
  }
}
