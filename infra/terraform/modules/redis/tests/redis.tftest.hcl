mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                   = "fest-test"
  subnet_ids             = ["subnet-1", "subnet-2"]
  security_group_id      = "sg-redis"
  replicas               = 1
  auth_token             = "0123456789abcdef0123456789abcdef"
  notification_topic_arn = "arn:aws:sns:eu-central-1:123456789012:alarms"
}

run "redis_evicts_nothing_and_speaks_tls_with_a_password" {
  command = apply

  assert {
    condition     = one([for p in aws_elasticache_parameter_group.this.parameter : p.value if p.name == "maxmemory-policy"]) == "noeviction"
    error_message = "nothing is evicted when memory runs short"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.parameter_group_name == "fest-test-valkey8"
    error_message = "that parameter group is the one in use"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    error_message = "a connection without TLS is refused"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.auth_token == "0123456789abcdef0123456789abcdef"
    error_message = "a connection without the password is refused"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.auth_token_update_strategy == "ROTATE"
    error_message = "the old password works until servers have been rolled"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true"
    error_message = "what is on disk is encrypted"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.security_group_ids == toset(["sg-redis"])
    error_message = "only the group that lets in the servers is used"
  }
}

run "a_replica_takes_over_and_nothing_fails_over_by_itself_without_need" {
  command = apply

  assert {
    condition     = aws_elasticache_replication_group.this.num_cache_clusters == 2 && aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled
    error_message = "the replica is in another zone, and takes over by itself"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.auto_minor_version_upgrade == "false" && !aws_elasticache_replication_group.this.apply_immediately
    error_message = "no upgrade makes a failover that nobody asked for"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.snapshot_retention_limit == 0
    error_message = "there are no snapshots of what can be built anew"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.notification_topic_arn == "arn:aws:sns:eu-central-1:123456789012:alarms"
    error_message = "operators hear of a failover"
  }
  assert {
    condition     = output.node_ids == ["fest-test-001", "fest-test-002"]
    error_message = "alarms know the nodes by their names"
  }
  assert {
    condition     = output.burstable
    error_message = "alarms know that a t4g has processor credits"
  }
}

run "without_a_replica_there_is_one_node" {
  command = apply

  variables {
    replicas       = 0
    engine_version = "7.2"
  }

  assert {
    condition     = aws_elasticache_replication_group.this.num_cache_clusters == 1 && !aws_elasticache_replication_group.this.automatic_failover_enabled && !aws_elasticache_replication_group.this.multi_az_enabled
    error_message = "one node has nobody to fail over to"
  }
  assert {
    condition     = aws_elasticache_parameter_group.this.family == "valkey7"
    error_message = "parameters are of the family of the engine"
  }
}

run "odd_names_one_zone_micro_machines_old_engines_many_replicas_and_short_passwords_are_refused" {
  command = plan
  variables {
    name           = "fest-"
    subnet_ids     = ["subnet-1"]
    node_type      = "cache.t4g.micro"
    engine_version = "6.2"
    replicas       = 5
    auth_token     = "short"

    security_group_id      = "everybody"
    notification_topic_arn = "sre@example.org"
  }
  expect_failures = [var.security_group_id, var.notification_topic_arn, var.name, var.subnet_ids, var.node_type, var.engine_version, var.replicas, var.auth_token]
}
