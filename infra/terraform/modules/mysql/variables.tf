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
    error_message = "subnet_ids must be of at least two zones: a standby needs the other one."
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

variable "instance_class" {
  description = "Machine of the database. MySQL is the archive: batches of orders, sign-ups and logins, nothing while people wait."
  type        = string
  default     = "db.t4g.small"

  validation {
    condition     = can(regex("^db\\.(t4g|m[67]g|r[67]g)\\.[a-z0-9]+$", var.instance_class)) && var.instance_class != "db.t4g.micro"
    error_message = "instance_class must be db.t4g.small or larger, or of the families m6g, m7g, r6g, r7g."
  }
}

variable "engine_version" {
  description = "MySQL 8.4, which is what is tested; a patch level may be named."
  type        = string
  default     = "8.4"

  validation {
    condition     = can(regex("^8\\.4(\\.[0-9]+)?$", var.engine_version))
    error_message = "engine_version must be 8.4 or one of its patch levels: the parameter group is of that family."
  }
}

variable "multi_az" {
  description = "A standby in another zone that takes over within a minute or two. The sale goes on without MySQL meanwhile; sign-ups and logins do not."
  type        = bool
}

variable "storage_gib" {
  description = "Disk to begin with, GiB; it grows by itself up to storage_max_gib."
  type        = number
  default     = 20

  validation {
    condition     = var.storage_gib >= 20 && var.storage_gib <= 1000
    error_message = "storage_gib must be from 20, the least of gp3, to 1000."
  }
}

variable "storage_max_gib" {
  description = "Disk it may grow to, GiB."
  type        = number
  default     = 100

  validation {
    condition     = var.storage_max_gib > var.storage_gib
    error_message = "storage_max_gib must be more than storage_gib: a full disk stops the archive, and with it sign-ups."
  }
}

variable "backup_days" {
  description = "Days back to any second of which the database can be restored. Order logs are kept for longer than that, or forever."
  type        = number
  default     = 14

  validation {
    condition     = var.backup_days >= 7 && var.backup_days <= 35
    error_message = "backup_days must be from 7 to 35."
  }
}

variable "deletion_protection" {
  description = "Nobody deletes the database by mistake."
  type        = bool
  default     = true
}

variable "password_days" {
  description = "Days after which AWS changes the password by itself. Servers learn a new one when they are started: roll them after it, and choose a day without a sale by rotating by hand before."
  type        = number
  default     = 365

  validation {
    condition     = var.password_days >= 30 && var.password_days <= 1000
    error_message = "password_days must be from 30 to 1000: servers are rolled after each change."
  }
}

variable "log_days" {
  description = "Days for which MySQL's errors and slow statements are kept."
  type        = number
  default     = 90

  validation {
    condition     = contains([7, 14, 30, 60, 90, 180, 365, 400], var.log_days)
    error_message = "log_days must be 7, 14, 30, 60, 90, 180, 365 or 400."
  }
}

variable "notification_topic_arn" {
  description = "Topic that hears of failovers and failures."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:sns:", var.notification_topic_arn))
    error_message = "notification_topic_arn must be the ARN of a topic of SNS."
  }
}
