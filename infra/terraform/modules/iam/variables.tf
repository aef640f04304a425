variable "name" {
  description = "Name of the deployment, first part of every name: 3 to 20 lower-case letters, digits and dashes."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must have 3 to 20 lower-case letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "region" {
  description = "AWS region."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be a region of AWS, such as eu-central-1."
  }
}

variable "account_id" {
  description = "The AWS account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must have 12 digits."
  }
}

variable "secret_arns" {
  description = "Secrets that servers read when they start."
  type        = list(string)

  validation {
    condition     = length(var.secret_arns) > 0 && alltrue([for arn in var.secret_arns : can(regex("^arn:aws[a-z-]*:secretsmanager:[^*]+$", arn))])
    error_message = "secret_arns must be ARNs of single secrets, without *."
  }
}

variable "release_bucket" {
  description = "Bucket from which servers fetch releases."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.release_bucket))
    error_message = "release_bucket must be the name of a bucket."
  }
}

variable "release_prefix" {
  description = "Beginning of the keys of releases in that bucket, with a slash at its end."
  type        = string
  default     = "releases/"

  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+/$", var.release_prefix))
    error_message = "release_prefix must be a folder, with a slash at its end."
  }
}

variable "log_group_arns" {
  description = "Log groups that servers write to."
  type        = list(string)

  validation {
    condition     = length(var.log_group_arns) > 0 && alltrue([for arn in var.log_group_arns : can(regex("^arn:aws[a-z-]*:logs:[^*]+$", arn))])
    error_message = "log_group_arns must be ARNs of single log groups, without *."
  }
}

variable "metric_namespace" {
  description = "The only namespace of CloudWatch in which servers may put figures."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9/._-]{1,255}$", var.metric_namespace)) && !startswith(var.metric_namespace, "AWS/")
    error_message = "metric_namespace must have letters, digits, slashes, dots and dashes, and not be one of AWS's own."
  }
}

variable "gateway_file_system_arn" {
  description = "File system of the simulated payment gateway's ledger."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:elasticfilesystem:[^*]+$", var.gateway_file_system_arn))
    error_message = "gateway_file_system_arn must be the ARN of one file system, without *."
  }
}
