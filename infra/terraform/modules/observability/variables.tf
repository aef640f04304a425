variable "name" {
  description = "Name of the deployment, first part of every name: 3 to 20 lower-case letters, digits and dashes."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must have 3 to 20 lower-case letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "region" {
  description = "AWS region, for the dashboard."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be a region of AWS, such as eu-central-1."
  }
}

variable "emails" {
  description = "Who is told of alarms. Each address has to be confirmed once, by the link that AWS sends."
  type        = list(string)

  validation {
    condition     = length(var.emails) > 0 && alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", email))])
    error_message = "emails must be e-mail addresses, at least one: an alarm that nobody hears is none."
  }
}

variable "log_days" {
  description = "Days for which the servers' logs are kept."
  type        = number
  default     = 90

  validation {
    condition     = contains([7, 14, 30, 60, 90, 180, 365, 400], var.log_days)
    error_message = "log_days must be 7, 14, 30, 60, 90, 180, 365 or 400."
  }
}

variable "load_balancer" {
  description = "What load balancer and target group are called in CloudWatch."
  type        = object({ load_balancer = string, target_group = string })

  validation {
    condition     = startswith(var.load_balancer.load_balancer, "app/") && startswith(var.load_balancer.target_group, "targetgroup/")
    error_message = "load_balancer must have names as CloudWatch knows them, app/… and targetgroup/…: an alarm on another name never rings."
  }
}

variable "servers" {
  description = "Each server's Auto Scaling group and the volume of its order log."
  type        = map(object({ group = string, volume = string }))

  validation {
    condition     = length(var.servers) > 0
    error_message = "servers must not be empty."
  }
}

variable "cpu_credits" {
  description = "unlimited, standard, or none for machines that are not burstable."
  type        = string

  validation {
    condition     = contains(["unlimited", "standard", "none"], var.cpu_credits)
    error_message = "cpu_credits must be unlimited, standard or none."
  }
}

variable "mysql_identifier" {
  description = "What the database is called in CloudWatch."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.mysql_identifier))
    error_message = "mysql_identifier must be the identifier of the database, no ARN."
  }
}

variable "redis_node_ids" {
  description = "What the nodes of Redis are called in CloudWatch."
  type        = list(string)

  validation {
    condition     = length(var.redis_node_ids) > 0 && alltrue([for id in var.redis_node_ids : can(regex("^[a-z][a-z0-9-]*-[0-9]{3}$", id))])
    error_message = "redis_node_ids must name the nodes, such as fest-production-001, at least one."
  }
}

variable "redis_burstable" {
  description = "Whether the nodes of Redis have processor credits."
  type        = bool
}
