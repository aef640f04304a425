# Two servers, a standby of each store, everything protected. This file puts modules together and decides their sizes; it makes
# nothing itself.

locals {
  name        = "fest-production"
  server_port = 8080
}

data "aws_caller_identity" "current" {}

module "network" {
  source = "../../modules/network"

  name                 = local.name
  zones                = var.zones
  server_port          = local.server_port
  nat_gateway_per_zone = true
  metrics_cidrs        = var.metrics_cidrs
}

module "load_balancer" {
  source = "../../modules/load-balancer"

  name                    = local.name
  server_port             = local.server_port
  account_id              = data.aws_caller_identity.current.account_id
  vpc_id                  = module.network.vpc_id
  subnet_ids              = module.network.public_subnet_ids
  security_group_id       = module.network.security_group_ids["load-balancer"]
  domain_name             = var.domain_name
  zone_id                 = var.zone_id
  certificate_arn         = var.certificate_arn
  reserved_capacity_units = var.reserved_capacity_units
  deletion_protection     = true
}

module "mysql" {
  source = "../../modules/mysql"

  name                = local.name
  subnet_ids          = module.network.store_subnet_ids
  security_group_id   = module.network.security_group_ids["mysql"]
  log_days            = 90
  multi_az            = true
  backup_days         = 14
  deletion_protection = true

  notification_topic_arn = module.observability.topic_arn
}

module "redis" {
  source = "../../modules/redis"

  name                   = local.name
  subnet_ids             = module.network.store_subnet_ids
  security_group_id      = module.network.security_group_ids["redis"]
  replicas               = 1
  auth_token             = var.redis_auth_token
  notification_topic_arn = module.observability.topic_arn
}

module "secrets" {
  source = "../../modules/secrets"

  name             = local.name
  redis_auth_token = var.redis_auth_token
  recovery_days    = 30
}

module "iam" {
  source = "../../modules/iam"

  name                    = local.name
  region                  = var.region
  account_id              = data.aws_caller_identity.current.account_id
  secret_arns             = [module.secrets.keys_arn, module.secrets.accounts_arn, module.secrets.redis_arn, module.secrets.mysql_arn]
  release_bucket          = var.release.bucket
  log_group_arns          = [module.observability.log_group.arn]
  metric_namespace        = module.observability.metric_namespace
  workspace_arn           = module.prometheus.workspace_arn
  gateway_file_system_arn = module.service.gateway_file_system_arn
}

module "service" {
  source = "../../modules/service"

  name                  = local.name
  server_port           = local.server_port
  environment           = "production"
  slots                 = { for name, zone in var.servers : name => { zone = zone, subnet_id = module.network.server_subnet_ids[zone] } }
  instance_type         = var.instance_type
  cpu_credits           = var.cpu_credits
  ami_id                = var.ami_id
  release               = var.release
  extra_environment     = var.extra_environment
  security_group_ids    = { server = module.network.security_group_ids["server"], gateway = module.network.security_group_ids["gateway"] }
  instance_profile_name = module.iam.instance_profile_name
  roll_role_arn         = module.iam.roll_role_arn
  target_group_arn      = module.load_balancer.target_group_arn
  trusted_proxies       = module.network.public_subnet_cidrs
  notice_seconds        = module.load_balancer.notice_seconds
  log_group_name        = module.observability.log_group.name
  metric_namespace      = module.observability.metric_namespace
  remote_write_url      = module.prometheus.remote_write_url
  secret_arns           = { keys = module.secrets.keys_arn, accounts = module.secrets.accounts_arn }
  stores = {
    mysql_address    = module.mysql.address
    mysql_database   = module.mysql.database
    mysql_secret_arn = module.secrets.mysql_arn
    redis_address    = module.redis.address
    redis_secret_arn = module.secrets.redis_arn
  }
}

module "observability" {
  source = "../../modules/observability"

  name             = local.name
  region           = var.region
  emails           = var.emails
  account_id       = data.aws_caller_identity.current.account_id
  workspace_arn    = module.prometheus.workspace_arn
  pagers           = var.pagers
  log_days         = 90
  load_balancer    = module.load_balancer.metric_names
  servers          = { for name, group in module.service.group_names : name => { group = group, volume = module.service.volume_ids[name] } }
  cpu_credits      = startswith(var.instance_type, "t") ? var.cpu_credits : "none"
  mysql_identifier = module.mysql.identifier
  redis_node_ids   = module.redis.node_ids
  redis_burstable  = module.redis.burstable
}

module "prometheus" {
  source = "../../modules/prometheus"

  name             = local.name
  region           = var.region
  topic_arns       = { on-call = module.observability.page_topic_arn, chat = module.observability.topic_arn }
  alarm_topic_arn  = module.observability.topic_arn
  metric_namespace = module.observability.metric_namespace
  log_days         = 90
}

module "budget" {
  source = "../../modules/budget"

  name              = local.name
  monthly_limit_usd = var.monthly_limit_usd
  emails            = var.emails
}
