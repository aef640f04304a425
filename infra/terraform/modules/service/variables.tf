variable "name" {
  description = "Name of the deployment, first part of every name: 3 to 20 lower-case letters, digits and dashes."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must have 3 to 20 lower-case letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "environment" {
  description = "What operators see on their screens (FEST_ENVIRONMENT); production is shown in red."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{1,40}$", var.environment))
    error_message = "environment must have 1 to 40 letters, digits, dots, dashes and underscores."
  }
}

variable "slots" {
  description = "A server each: its name, and where it is. Name and volume stay, machines come and go. Never rename one: its order log would stay behind."
  type        = map(object({ zone = string, subnet_id = string }))

  validation {
    condition     = length(var.slots) >= 1 && length(var.slots) <= 16
    error_message = "slots must be one to sixteen: a document of Systems Manager has 100 steps at most, and the rolling replacement takes six a server."
  }
  validation {
    condition     = alltrue([for name, slot in var.slots : can(regex("^server-[1-9][0-9]?$", name))])
    error_message = "slots must be called server-1, server-2 and so on."
  }
}

variable "instance_type" {
  description = "Machine of each server, x86-64: the release carries a Node of its own. Two processors make two workers."
  type        = string
  default     = "t3.small"

  validation {
    condition     = can(regex("^(t3a?|[cm][5-8](i|a|n|d|ad|id|in)?)\\.[a-z0-9]+$", var.instance_type)) && !can(regex("\\.(nano|micro)$", var.instance_type))
    error_message = "instance_type must be of the families t3, t3a, c5 to c8 or m5 to m8 with x86-64, and have 2 GiB: two workers do not fit into less."
  }
}

variable "cpu_credits" {
  description = "For t3: unlimited (more than the baseline is paid, some cents a sale) or standard (a server without credits slows down to 40 % of a processor; an alarm warns)."
  type        = string
  default     = "unlimited"

  validation {
    condition     = contains(["unlimited", "standard"], var.cpu_credits)
    error_message = "cpu_credits must be unlimited or standard."
  }
}

variable "ami_id" {
  description = "Image of Amazon Linux 2023 for x86-64. Pinned, so that a machine that is replaced in a sale is the one that was rehearsed; the README has the command that finds the newest."
  type        = string

  validation {
    condition     = can(regex("^ami-[0-9a-f]{8,17}$", var.ami_id))
    error_message = "ami_id must be an image, such as ami-0123456789abcdef0."
  }
}

variable "release" {
  description = "What runs: bucket, key and SHA-256 of an archive made by bin/build-release. A server refuses an archive with another sum."
  type        = object({ bucket = string, key = string, sha256 = string })

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.release.sha256))
    error_message = "release.sha256 must have 64 hexadecimal digits, as bin/build-release prints them."
  }
  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+\\.tar\\.gz$", var.release.key))
    error_message = "release.key must be that of an archive, such as releases/fest-1.2.3.tar.gz."
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

variable "workers" {
  description = "FEST_WORKERS: auto for one a processor, or a number."
  type        = string
  default     = "auto"

  validation {
    condition     = var.workers == "auto" || can(regex("^([1-9]|[1-5][0-9]|6[0-4])$", var.workers))
    error_message = "workers must be auto or from 1 to 64."
  }
}

variable "mysql_pool_size" {
  description = "FEST_MYSQL_POOL_SIZE: connections of a server."
  type        = number
  default     = 20

  validation {
    condition     = var.mysql_pool_size >= 8 && var.mysql_pool_size <= 200
    error_message = "mysql_pool_size must be from 8 (two workers take four each at least) to 200."
  }
}

variable "log_level" {
  description = "FEST_LOG_LEVEL: least severe messages to log."
  type        = string
  default     = "info"

  validation {
    condition     = contains(["fatal", "error", "warn", "info", "debug"], var.log_level)
    error_message = "log_level must be fatal, error, warn, info or debug."
  }
}

variable "extra_environment" {
  description = "Other variables of the server (docs/configuration.md): abuse limits, WebSockets, the simulated gateway. Not what the module sets itself, and no secrets."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, value in var.extra_environment : can(regex("^FEST_[A-Z0-9_]+$", name)) && can(regex("^[A-Za-z0-9_.,:/@+-]+$", value))])
    error_message = "extra_environment must be FEST_… variables with plain values."
  }
  validation {
    condition = length(setintersection(keys(var.extra_environment), [
      "FEST_HOST", "FEST_PORT", "FEST_SERVER_NAME", "FEST_ENVIRONMENT", "FEST_WORKERS", "FEST_LAME_DUCK_MS", "FEST_TRUST_PROXY", "FEST_LOG_LEVEL", "FEST_REDIS_URL", "FEST_MYSQL_URL", "FEST_MYSQL_POOL_SIZE", "FEST_LOG_DIR", "FEST_JWT_SECRET", "FEST_QUEUE_TOKEN_SECRET", "FEST_TICKET_SIGNING_SEED", "FEST_BOOTSTRAP_ACCOUNTS", "FEST_GATEWAY_DIR",
    ])) == 0
    error_message = "extra_environment must not have what the module sets itself."
  }
}

variable "log_volume" {
  description = "Volume of each order log, gp3: GiB, operations and MiB a second. 20 GiB hold some 40 million records."
  type        = object({ size_gib = optional(number, 20), iops = optional(number, 3000), throughput = optional(number, 125) })
  default     = {}

  validation {
    condition     = var.log_volume.size_gib >= 8 && var.log_volume.size_gib <= 1000
    error_message = "log_volume.size_gib must be from 8 to 1000. It can grow (the file system grows at the next start), never shrink."
  }
  validation {
    condition     = var.log_volume.iops >= 3000 && var.log_volume.iops <= 16000 && var.log_volume.throughput >= 125 && var.log_volume.throughput <= 1000
    error_message = "log_volume.iops must be from 3000 to 16000 and throughput from 125 to 1000: what gp3 has."
  }
}

variable "security_group_ids" {
  description = "Groups by name: server, gateway."
  type        = object({ server = string, gateway = string })

  validation {
    condition     = alltrue([for id in [var.security_group_ids.server, var.security_group_ids.gateway] : can(regex("^sg-[0-9a-z]+$", id))])
    error_message = "security_group_ids must be groups, such as sg-0123456789abcdef0."
  }
}

variable "instance_profile_name" {
  description = "Profile of the machines."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,128}$", var.instance_profile_name))
    error_message = "instance_profile_name must be the name of a profile, no ARN."
  }
}

variable "roll_role_arn" {
  description = "Role of the rolling replacement."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/", var.roll_role_arn))
    error_message = "roll_role_arn must be the ARN of a role."
  }
}

variable "target_group_arn" {
  description = "Target group of the load balancer."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:elasticloadbalancing:[^:]+:[0-9]{12}:targetgroup/", var.target_group_arn))
    error_message = "target_group_arn must be the ARN of a target group."
  }
}

variable "trusted_proxies" {
  description = "Networks of the load balancer, whose X-Forwarded-For is believed (FEST_TRUST_PROXY)."
  type        = list(string)

  validation {
    condition     = length(var.trusted_proxies) > 0 && alltrue([for cidr in var.trusted_proxies : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "trusted_proxies must be networks, and not all of the Internet."
  }
}

variable "notice_seconds" {
  description = "How long the load balancer takes to notice that a server is not ready: a stopping server answers two seconds longer."
  type        = number

  validation {
    condition     = var.notice_seconds >= 1 && var.notice_seconds <= 118
    error_message = "notice_seconds must be from 1 to 118: a server goes on answering for two minutes at most."
  }
}

variable "stores" {
  description = "MySQL and Redis: addresses, and the secret with what gets in."
  type = object({
    mysql_address    = string
    mysql_database   = string
    mysql_secret_arn = string
    redis_address    = string
    redis_secret_arn = string
  })

  validation {
    condition     = alltrue([for arn in [var.stores.mysql_secret_arn, var.stores.redis_secret_arn] : can(regex("^arn:aws[a-z-]*:secretsmanager:", arn))])
    error_message = "stores must have ARNs of secrets: user data has no secret in it."
  }

  validation {
    condition     = alltrue([for text in [var.stores.mysql_address, var.stores.redis_address, var.stores.mysql_database] : can(regex("^[A-Za-z0-9._-]+$", text))])
    error_message = "stores must have plain host names and the name of a database: they stand in URLs."
  }
}

variable "secret_arns" {
  description = "Secrets with the keys and with the accounts to create."
  type        = object({ keys = string, accounts = string })

  validation {
    condition     = alltrue([for arn in [var.secret_arns.keys, var.secret_arns.accounts] : can(regex("^arn:aws[a-z-]*:secretsmanager:", arn))])
    error_message = "secret_arns must be ARNs of secrets."
  }
}

variable "log_group_name" {
  description = "Log group of the servers."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_/.#-]{1,512}$", var.log_group_name))
    error_message = "log_group_name must be the name of a log group, no ARN."
  }
}

variable "metric_namespace" {
  description = "Namespace of the machines' figures in CloudWatch."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9/._-]{1,255}$", var.metric_namespace)) && !startswith(var.metric_namespace, "AWS/")
    error_message = "metric_namespace must have letters, digits, slashes, dots and dashes, and not be one of AWS's own."
  }
}
