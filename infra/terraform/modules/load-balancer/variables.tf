variable "name" {
  description = "Name of the deployment, first part of every name: 3 to 20 lower-case letters, digits and dashes."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must have 3 to 20 lower-case letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "vpc_id" {
  description = "The network."
  type        = string

  validation {
    condition     = can(regex("^vpc-[0-9a-z]+$", var.vpc_id))
    error_message = "vpc_id must be a network, such as vpc-0123456789abcdef0."
  }
}

variable "subnet_ids" {
  description = "Public subnets, one in each of at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must be of at least two zones: AWS makes no load balancer in one."
  }
}

variable "security_group_id" {
  description = "Group of the load balancer."
  type        = string

  validation {
    condition     = can(regex("^sg-[0-9a-z]+$", var.security_group_id))
    error_message = "security_group_id must be a group, such as sg-0123456789abcdef0."
  }
}

variable "server_port" {
  description = "Port on which the servers answer."
  type        = number
  default     = 8080

  validation {
    condition     = var.server_port >= 1024 && var.server_port <= 65535 && floor(var.server_port) == var.server_port
    error_message = "server_port must be from 1024 to 65535: the server is no root."
  }
}

variable "domain_name" {
  description = "Name under which buyers come, such as tickets.example.org."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "domain_name must be a full name in lower-case letters, such as tickets.example.org."
  }
}

variable "zone_id" {
  description = "Route 53 zone of the domain: certificate and address are made in it. Null where the domain is kept elsewhere; then certificate_arn is needed."
  type        = string
  default     = null

  validation {
    condition     = (var.zone_id == null) != (var.certificate_arn == null)
    error_message = "Give either zone_id (the certificate is made and renewed) or certificate_arn (you have one), not both."
  }
}

variable "certificate_arn" {
  description = "Certificate of the domain in ACM, in this region. Null to have one made in zone_id."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:", var.certificate_arn))
    error_message = "certificate_arn must be the ARN of a certificate in ACM."
  }
}

variable "health_check" {
  description = "How /health/ready is asked, seconds and answers in a row. The server takes up to a second to answer while a store hangs."
  type = object({
    interval_seconds  = optional(number, 5)
    timeout_seconds   = optional(number, 3)
    healthy_answers   = optional(number, 2)
    unhealthy_answers = optional(number, 2)
  })
  default = {}

  validation {
    condition     = var.health_check.interval_seconds >= 5 && var.health_check.interval_seconds <= 30
    error_message = "interval_seconds must be from 5, the least there is, to 30: a stopping server answers that long for nothing."
  }
  validation {
    condition     = var.health_check.timeout_seconds >= 2 && var.health_check.timeout_seconds < var.health_check.interval_seconds
    error_message = "timeout_seconds must be at least 2 (a store that hangs takes one) and below interval_seconds."
  }
  validation {
    condition     = alltrue([for count in [var.health_check.healthy_answers, var.health_check.unhealthy_answers] : count >= 2 && count <= 10])
    error_message = "healthy_answers and unhealthy_answers must be from 2 to 10."
  }
}

variable "idle_timeout_seconds" {
  description = "Silence after which a connection is closed. Below the 65 s of the server, which must not be the first to close; above the pings of WebSockets."
  type        = number
  default     = 60

  validation {
    condition     = var.idle_timeout_seconds >= 40 && var.idle_timeout_seconds < 65
    error_message = "idle_timeout_seconds must be from 40 to 64: the server closes idle connections after 65 s, and a request on its way to one that is closed is lost."
  }
}

variable "draining_seconds" {
  description = "How long a server that is taken out may finish what it has, WebSockets above all, before its connections are cut."
  type        = number
  default     = 45

  validation {
    condition     = var.draining_seconds >= 35 && var.draining_seconds <= 300
    error_message = "draining_seconds must be from 35 (longer than anybody waits between two polls) to 300."
  }
}

variable "reserved_capacity_units" {
  description = "Load balancer capacity units kept ready, 0 for none. A load balancer grows in minutes, a crowd comes in seconds: reserve for the day of the sale, and let go after it."
  type        = number
  default     = 0

  validation {
    condition     = var.reserved_capacity_units == 0 || (var.reserved_capacity_units >= 100 && var.reserved_capacity_units <= 1500)
    error_message = "reserved_capacity_units must be 0 or from 100, the least that can be reserved, to 1500."
  }
}

variable "deletion_protection" {
  description = "Nobody deletes the load balancer by mistake."
  type        = bool
  default     = true
}

variable "access_log_days" {
  description = "Days for which access logs are kept in a bucket; 0 for no access logs."
  type        = number
  default     = 30

  validation {
    condition     = var.access_log_days >= 0 && var.access_log_days <= 400
    error_message = "access_log_days must be from 0 to 400: they have addresses of people in them."
  }
}

variable "account_id" {
  description = "The AWS account, part of the name of the bucket of access logs."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must have 12 digits."
  }
}
