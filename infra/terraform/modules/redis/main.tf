# The index: stock, holds and the line of each sale. It may be lost at any moment: it is no copy of anything that is not in the
# order logs and MySQL, so there are no snapshots. An older one restored would be noticed and built anew all the same.

locals {
  family = "valkey${split(".", var.engine_version)[0]}"
}

resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "this" {
  name        = "${var.name}-${local.family}"
  family      = local.family
  description = "fest: nothing is evicted"

  # A key that is evicted is a hold that is lost. Full memory refuses writes instead, which the server answers with 503.
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = var.name
  description          = "fest: stock, holds and lines"
  engine               = "valkey"
  engine_version       = var.engine_version
  node_type            = var.node_type
  parameter_group_name = aws_elasticache_parameter_group.this.name
  port                 = 6379

  # One shard: all keys of a sale are in one slot, and a server speaks to one address.
  num_cache_clusters         = 1 + var.replicas
  automatic_failover_enabled = var.replicas > 0
  multi_az_enabled           = var.replicas > 0

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [var.security_group_id]

  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  auth_token                 = var.auth_token
  # The old token goes on working until the next one comes, so that servers can be rolled.
  auth_token_update_strategy = "ROTATE"

  # An upgrade is a failover, and a failover builds every sale anew: only when an operator says so, and never by night alone.
  auto_minor_version_upgrade = false
  apply_immediately          = false
  maintenance_window         = "tue:03:00-tue:04:00"
  snapshot_retention_limit   = 0
  notification_topic_arn     = var.notification_topic_arn
}
