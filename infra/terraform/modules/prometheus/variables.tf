variable "name" {
  description = "Name of the deployment, first part of every name: 3 to 20 lower-case letters, digits and dashes."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must have 3 to 20 lower-case letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "region" {
  description = "AWS region, in which the topics are."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be a region of AWS, such as eu-central-1."
  }
}

variable "topic_arns" {
  description = "SNS topic of each receiver that the routes of infra/observability/alertmanager name: on-call for pages, chat for tickets."
  type        = map(string)

  validation {
    condition     = alltrue([for arn in values(var.topic_arns) : can(regex("^arn:aws[a-z-]*:sns:[^:*]+:[0-9]{12}:[A-Za-z0-9_-]+$", arn))])
    error_message = "topic_arns must be ARNs of standard topics: Prometheus tells no .fifo ones."
  }
}

variable "alarm_topic_arn" {
  description = "SNS topic that is told when Prometheus itself cannot tell."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:sns:", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must be the ARN of a topic."
  }
}

variable "evaluation_seconds" {
  description = "How often rules are evaluated. AWS has a quota for the least (30 s unless it was changed), and a minute would be too late for sales of ten."
  type        = number
  default     = 30

  validation {
    condition     = var.evaluation_seconds >= 5 && var.evaluation_seconds <= 30 && floor(var.evaluation_seconds) == var.evaluation_seconds
    error_message = "evaluation_seconds must be from 5 to 30: rules look at the last minute, and need more than one figure in it."
  }
}

variable "log_days" {
  description = "Days for which the log of rules and notifications is kept."
  type        = number
  default     = 90

  validation {
    condition     = contains([7, 14, 30, 60, 90, 180, 365, 400], var.log_days)
    error_message = "log_days must be 7, 14, 30, 60, 90, 180, 365 or 400."
  }
}

variable "metric_namespace" {
  description = "Namespace of CloudWatch for the count of its errors."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9/._-]{1,255}$", var.metric_namespace)) && !startswith(var.metric_namespace, "AWS/")
    error_message = "metric_namespace must have letters, digits, slashes, dots and dashes, and not be one of AWS's own."
  }
}
