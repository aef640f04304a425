output "address" {
  description = "Host name of the primary; it moves with a failover."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "node_ids" {
  description = "What the nodes are called in CloudWatch."
  value       = [for number in range(1, 2 + var.replicas) : format("%s-%03d", var.name, number)]
}

output "burstable" {
  description = "Whether the nodes have processor credits, without which they slow down."
  value       = startswith(var.node_type, "cache.t")
}
