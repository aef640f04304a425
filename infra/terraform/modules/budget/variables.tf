variable "name" {
  description = "Name of the deployment, first part of every name: 3 to 20 lower-case letters, digits and dashes."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must have 3 to 20 lower-case letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "monthly_limit_usd" {
  description = "What a month may cost, US dollars. The README has what to expect."
  type        = number

  validation {
    condition     = var.monthly_limit_usd >= 10
    error_message = "monthly_limit_usd must be at least 10: an alarm that always rings is none."
  }
}

variable "emails" {
  description = "Who is told."
  type        = list(string)

  validation {
    condition     = length(var.emails) > 0 && length(var.emails) <= 10 && alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", email))])
    error_message = "emails must be one to ten e-mail addresses."
  }
}
