variable "name" {
  description = "Name of the deployment, first part of every name: 3 to 20 lower-case letters, digits and dashes."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must have 3 to 20 lower-case letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "cidr" {
  description = "Addresses of the network, a private IPv4 network of 16 to 20 bits: it is cut into 16 subnets."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "cidr must be an IPv4 network of 16 to 20 bits, such as 10.20.0.0/16."
  }

  validation {
    condition     = can(regex("^(10\\.|192\\.168\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.)", var.cidr))
    error_message = "cidr must be private (10/8, 172.16/12, 192.168/16): servers take addresses in it for the load balancer's, never for a buyer's."
  }
}

variable "zones" {
  description = "Availability zones, two to four. Append only: the addresses of a zone go by its place."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 4 && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones must name two to four different availability zones: one alone takes the sale with it."
  }
}

variable "nat_gateway_per_zone" {
  description = "A NAT gateway in each zone (production), or one for all: then the loss of its zone also takes the other servers' way to secrets, logs and the payment gateway."
  type        = bool
}

variable "server_port" {
  description = "Port on which the servers answer."
  type        = number

  validation {
    condition     = var.server_port >= 1024 && var.server_port <= 65535 && floor(var.server_port) == var.server_port
    error_message = "server_port must be from 1024 to 65535: the server is no root."
  }
}

variable "metrics_cidrs" {
  description = "Private networks from which Prometheus may ask the servers for /metrics, past the load balancer, which tells nobody."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.metrics_cidrs : can(cidrhost(cidr, 0)) && can(regex("^(10\\.|192\\.168\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.)", cidr))])
    error_message = "metrics_cidrs must be private IPv4 networks: whoever is in them reaches the servers without the load balancer."
  }
}

variable "flow_log_days" {
  description = "Days for which refused connections are kept in the flow log."
  type        = number
  default     = 30

  validation {
    condition     = contains([7, 14, 30, 60, 90, 180, 365], var.flow_log_days)
    error_message = "flow_log_days must be 7, 14, 30, 60, 90, 180 or 365."
  }
}
