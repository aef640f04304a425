variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-central-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be a region of AWS, such as eu-central-1."
  }
}

variable "zones" {
  description = "Availability zones of the region that the network has. Append only."
  type        = list(string)
  default     = ["eu-central-1a", "eu-central-1b"]

  validation {
    condition     = alltrue([for zone in var.zones : startswith(zone, var.region)])
    error_message = "zones must be of the region."
  }
}

variable "servers" {
  description = "All servers and the zone of each, in which its order log is and stays: who is not in it goes. One more entry adds one: server-3 = \"eu-central-1a\". One goes only when its order log is in MySQL (fest log replay --retire)."
  type        = map(string)
  default     = { server-1 = "eu-central-1a", server-2 = "eu-central-1b" }

  validation {
    condition     = length(var.servers) >= 2 && length(var.servers) <= 16
    error_message = "servers must be from 2 to 16: one alone is missing while it is replaced."
  }
  validation {
    condition     = alltrue([for zone in values(var.servers) : contains(var.zones, zone)])
    error_message = "servers must be in zones of the network."
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
  description = "Route 53 zone of the domain, in which certificate and address are made; or null, with certificate_arn."
  type        = string
  default     = null

  validation {
    condition     = (var.zone_id == null) != (var.certificate_arn == null)
    error_message = "Give either zone_id or certificate_arn."
  }
}

variable "certificate_arn" {
  description = "Certificate of the domain in ACM, where its zone is not in Route 53."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:", var.certificate_arn))
    error_message = "certificate_arn must be the ARN of a certificate in ACM."
  }
}

variable "ami_id" {
  description = "Image of Amazon Linux 2023 for x86-64; the README has the command that finds the newest."
  type        = string

  validation {
    condition     = can(regex("^ami-[0-9a-f]{8,17}$", var.ami_id))
    error_message = "ami_id must be an image, such as ami-0123456789abcdef0."
  }
}

variable "release" {
  description = "What runs, as bin/build-release prints it: bucket, key, SHA-256."
  type        = object({ bucket = string, key = string, sha256 = string })

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.release.sha256)) && startswith(var.release.key, "releases/")
    error_message = "release must have a key in releases/ and a sha256 of 64 hexadecimal digits."
  }
}

variable "redis_auth_token" {
  description = "Password of Redis: 32 to 128 letters and digits. Give it as TF_VAR_redis_auth_token; openssl rand -hex 32 makes one."
  type        = string
  sensitive   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9]{32,128}$", var.redis_auth_token))
    error_message = "redis_auth_token must have 32 to 128 letters and digits."
  }
}

variable "emails" {
  description = "Who is told of alarms and costs."
  type        = list(string)

  validation {
    condition     = length(var.emails) > 0
    error_message = "emails must have at least one address."
  }
}

variable "pagers" {
  description = "Who is woken: telephone numbers (+491701234567), or addresses of a paging service (https://…). Mails wake nobody."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for pager in var.pagers : startswith(pager, "+") || startswith(pager, "https://")])
    error_message = "pagers must be telephone numbers with + or https:// addresses."
  }
}

variable "extra_environment" {
  description = "Other variables of the servers, see docs/configuration.md."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.extra_environment) : startswith(name, "FEST_")])
    error_message = "extra_environment must be FEST_… variables."
  }
}

variable "monthly_limit_usd" {
  description = "What a month may cost, US dollars."
  type        = number
  default     = 250

  validation {
    condition     = var.monthly_limit_usd >= 10
    error_message = "monthly_limit_usd must be at least 10."
  }
}
