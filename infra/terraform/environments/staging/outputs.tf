output "url" {
  description = "Where buyers and operators come."
  value       = module.load_balancer.url
}

output "fest_profile" {
  description = "For fest.config.yaml of operators: terraform output -raw fest_profile >> fest.config.yaml"
  value       = templatefile("${path.module}/../../templates/fest.config.yaml.tftpl", { name = "staging", url = module.load_balancer.url, production = false })
}

output "load_balancer_dns_name" {
  description = "Where a domain that is kept elsewhere has to point."
  value       = module.load_balancer.dns_name
}

output "secret_names" {
  description = "Secrets that bin/put-secrets fills, once."
  value       = module.secrets.names
}

output "groups" {
  description = "Auto Scaling group of each server."
  value       = module.service.group_names
}

output "log_volumes" {
  description = "Volume with the order log of each server."
  value       = module.service.volume_ids
}

output "roll_command" {
  description = "Replaces the servers one after the other: after a new release, image or password."
  value       = "aws ssm start-automation-execution --region ${var.region} --document-name ${module.service.roll_document}"
}

output "mysql" {
  description = "Address of MySQL, and the secret with the password of its master, which servers do not read."
  value       = { address = module.mysql.address, secret = module.mysql.secret_arn }
}

output "redis_address" {
  description = "Address of Redis."
  value       = module.redis.address
}

output "nat_addresses" {
  description = "Addresses the servers come from, for the allow-list of a payment gateway."
  value       = module.network.nat_addresses
}

output "alarm_topic" {
  description = "Topic of the alarms."
  value       = module.observability.topic_arn
}

output "dashboard" {
  description = "Dashboard of CloudWatch."
  value       = module.observability.dashboard
}

output "prometheus" {
  description = "Address of Prometheus, for a data source of Grafana (SigV4, service aps)."
  value       = module.prometheus.endpoint
}
