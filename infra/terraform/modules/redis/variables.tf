variable "name" {
  description = "Name of the deployment, first part of every name: 3 to 20 lower-case letters, digits and dashes."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must have 3 to 20 lower-case letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "subnet_ids" {
  description = "Subnets of the stores, of at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must be of at least two zones: the replica needs the other one."
  }
}

variable "security_group_id" {
  description = "Group that lets in the servers only."
  type        = string

  validation {
    condition     = can(regex("^sg-[0-9a-z]+$", var.security_group_id))
    error_message = "security_group_id must be a group, such as sg-0123456789abcdef0."
  }
}

variable "node_type" {
  description = "Machine of each node. A line of a million takes some 10 MiB; a command costs Redis some 1 to 25 µs of one processor."
  type        = string
  default     = "cache.t4g.small"

  validation {
    condition     = can(regex("^cache\\.(t4g|m[67]g|r[67]g)\\.[a-z0-9]+$", var.node_type)) && var.node_type != "cache.t4g.micro"
    error_message = "node_type must be cache.t4g.small or larger, or of the families m6g, m7g, r6g, r7g."
  }
}

variable "engine_version" {
  description = "Version of Valkey, 7.2 or 8.0 and later 8s."
  type        = string
  default     = "8.0"

  validation {
    condition     = can(regex("^(7\\.2|8\\.[0-9]+)$", var.engine_version))
    error_message = "engine_version must be 7.2 or 8.x: the server needs scripts with flags, which came with 7."
  }
}

variable "replicas" {
  description = "Nodes that take over when the primary is lost, 0 to 2. Whichever way it is lost, every sale is built anew from order logs and MySQL, and people join the line again: a replica saves minutes, not places in the line."
  type        = number

  validation {
    condition     = contains([0, 1, 2], var.replicas)
    error_message = "replicas must be 0, 1 or 2."
  }
}

variable "auth_token" {
  description = "Password of Redis: 32 to 128 letters and digits, so that it stands in a URL as it is."
  type        = string
  sensitive   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9]{32,128}$", var.auth_token))
    error_message = "auth_token must have 32 to 128 letters and digits (openssl rand -hex 32)."
  }
}

variable "notification_topic_arn" {
  description = "Topic that hears of failovers."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:sns:", var.notification_topic_arn))
    error_message = "notification_topic_arn must be the ARN of a topic of SNS."
  }
}
