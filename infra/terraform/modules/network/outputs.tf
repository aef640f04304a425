output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Subnets of the load balancer, one in each zone."
  value       = [for zone in var.zones : aws_subnet.public[zone].id]
}

output "public_subnet_cidrs" {
  description = "Addresses of the load balancer: what it says of a client in X-Forwarded-For is believed."
  value       = [for zone in var.zones : aws_subnet.public[zone].cidr_block]
}

output "server_subnet_ids" {
  description = "Where servers are: each zone's subnet."
  value       = { for zone in var.zones : zone => aws_subnet.private[zone].id }
}

output "store_subnet_ids" {
  description = "Subnets of MySQL and Redis, one in each zone."
  value       = [for zone in var.zones : aws_subnet.stores[zone].id]
}

output "security_group_ids" {
  description = "Groups by name: load-balancer, server, mysql, redis, gateway."
  value       = local.group
}

output "nat_addresses" {
  description = "Addresses from which the servers come: for the allow-list of a payment gateway."
  value       = [for address in aws_eip.nat : address.public_ip]
}
