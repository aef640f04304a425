# Plans only: volumes with order logs cannot be destroyed, which is what a test does with what it has applied.
mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

override_resource {
  target          = aws_ebs_volume.log["server-1"]
  override_during = plan
  values          = { id = "vol-0aaaaaaaaaaaaaaa1" }
}

override_resource {
  target          = aws_ebs_volume.log["server-2"]
  override_during = plan
  values          = { id = "vol-0aaaaaaaaaaaaaaa2" }
}

override_resource {
  target          = aws_efs_file_system.gateway
  override_during = plan
  values          = { id = "fs-0123456789abcdef0", arn = "arn:aws:elasticfilesystem:eu-central-1:123456789012:file-system/fs-0123456789abcdef0" }
}

override_data {
  target          = data.aws_region.current
  override_during = plan
  values          = { name = "eu-central-1" }
}

variables {
  name        = "fest-test"
  environment = "test"
  slots = {
    server-1 = { zone = "eu-central-1a", subnet_id = "subnet-1" }
    server-2 = { zone = "eu-central-1b", subnet_id = "subnet-2" }
  }
  ami_id                = "ami-0123456789abcdef0"
  release               = { bucket = "example-releases", key = "releases/fest-0.1.0.tar.gz", sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" }
  security_group_ids    = { server = "sg-server", gateway = "sg-gateway" }
  instance_profile_name = "fest-test-server"
  roll_role_arn         = "arn:aws:iam::123456789012:role/fest-test-roll"
  target_group_arn      = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/fest-test/73e2d6bc24d8a067"
  trusted_proxies       = ["10.20.0.0/20", "10.20.16.0/20"]
  notice_seconds        = 13
  stores = {
    mysql_address    = "mysql.example.net"
    mysql_database   = "fest"
    mysql_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-abcdef"
    redis_address    = "redis.example.net"
    redis_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:fest/fest-test/redis-abcdef"
  }
  secret_arns      = { keys = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys", accounts = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:accounts" }
  log_group_name   = "/fest/fest-test/server"
  metric_namespace = "fest/fest-test"
}

run "an_order_log_outlives_its_machine_and_is_found_by_the_next_one" {
  command = plan

  assert {
    condition     = { for name, volume in aws_ebs_volume.log : name => volume.availability_zone } == { server-1 = "eu-central-1a", server-2 = "eu-central-1b" }
    error_message = "each server has a volume of its own, in its zone"
  }
  assert {
    condition     = alltrue([for volume in aws_ebs_volume.log : volume.type == "gp3" && volume.encrypted])
    error_message = "order logs are on encrypted gp3"
  }
  assert {
    condition     = alltrue([for volume in aws_ebs_volume.log : volume.final_snapshot])
    error_message = "a volume that is deleted all the same leaves a snapshot"
  }
  assert {
    condition     = alltrue([for name, group in aws_autoscaling_group.server : group.vpc_zone_identifier == toset([var.slots[name].subnet_id])])
    error_message = "the machine is where its volume is"
  }
  assert {
    condition     = alltrue([for name, id in { server-1 = "vol-0aaaaaaaaaaaaaaa1", server-2 = "vol-0aaaaaaaaaaaaaaa2" } : strcontains(local.machine_env[name], "VOLUME_ID=${id}\n")])
    error_message = "each machine is told the volume of its slot, and not that of another"
  }
  assert {
    condition     = alltrue([for template in aws_launch_template.server : alltrue([for mapping in template.block_device_mappings : mapping.device_name == "/dev/xvda"])])
    error_message = "the machine brings its system's disk only: the order log's does not go with it"
  }
  assert {
    condition     = alltrue([for volume in aws_ebs_volume.log : volume.tags["fest:deployment"] == "fest-test"])
    error_message = "volumes carry the tag by which machines may attach them"
  }
  assert {
    condition     = alltrue([for name, env in local.server_env : strcontains(env, "FEST_LOG_DIR=/var/lib/fest/log\n") && strcontains(env, "FEST_SERVER_NAME=${name}\n")])
    error_message = "the order log is on the volume, and belongs to the server's name"
  }
}

run "there_is_exactly_one_machine_a_slot_and_the_old_one_goes_first" {
  command = plan

  assert {
    condition     = alltrue([for group in aws_autoscaling_group.server : group.min_size == 1 && group.max_size == 1 && group.desired_capacity == 1])
    error_message = "a volume can be with one machine only"
  }
  assert {
    condition     = alltrue([for group in aws_autoscaling_group.server : group.instance_maintenance_policy[0].min_healthy_percentage == 0 && group.instance_maintenance_policy[0].max_healthy_percentage == 100])
    error_message = "the old machine ends before the new one starts"
  }
  assert {
    condition     = alltrue([for group in aws_autoscaling_group.server : group.health_check_type == "EC2"])
    error_message = "machines are not replaced because Redis or MySQL is away"
  }
  assert {
    condition     = alltrue([for group in aws_autoscaling_group.server : group.target_group_arns == toset([var.target_group_arn])])
    error_message = "machines register with the load balancer"
  }
}

run "machines_are_small_without_ssh_and_without_secrets" {
  command = plan

  assert {
    condition     = length(aws_launch_template.server) == 2 && alltrue([for template in aws_launch_template.server : template.instance_type == "t3.small"])
    error_message = "there are two t3.small"
  }
  assert {
    condition     = alltrue([for template in aws_launch_template.server : template.credit_specification[0].cpu_credits == "unlimited"])
    error_message = "a crowd does not run a server out of processor credits"
  }
  assert {
    condition     = alltrue([for template in aws_launch_template.server : template.key_name == null])
    error_message = "there is no SSH key"
  }
  assert {
    condition     = alltrue([for template in aws_launch_template.server : template.metadata_options[0].http_tokens == "required" && template.metadata_options[0].http_put_response_hop_limit == 1])
    error_message = "the metadata service wants a token (IMDSv2)"
  }
  assert {
    condition     = alltrue([for template in aws_launch_template.server : template.network_interfaces[0].associate_public_ip_address == "false" && template.network_interfaces[0].security_groups == toset(["sg-server"])])
    error_message = "machines have no public address"
  }
  assert {
    condition     = alltrue([for template in aws_launch_template.server : template.block_device_mappings[0].ebs[0].encrypted == "true"])
    error_message = "the system's disk is encrypted"
  }
  assert {
    condition     = alltrue([for text in local.user_data : !can(regex("FEST_(JWT_SECRET|QUEUE_TOKEN_SECRET|TICKET_SIGNING_SEED|BOOTSTRAP_ACCOUNTS|MYSQL_URL|REDIS_URL)=[^$\"]*[A-Za-z0-9]{16}", text))])
    error_message = "no secret is in what a machine is told"
  }
  assert {
    condition     = alltrue([for text in local.user_data : length(base64encode(text)) <= 4 * 16384 / 3])
    error_message = "AWS takes 16 KiB of user data at most"
  }
}

run "the_unit_and_its_environment_are_those_of_the_server" {
  command = plan

  assert {
    condition     = strcontains(local.server_env["server-1"], "FEST_LAME_DUCK_MS=15000\n")
    error_message = "a stopping server answers two seconds longer than the load balancer takes to notice"
  }
  assert {
    condition     = strcontains(local.unit, "TimeoutStopSec=47\n")
    error_message = "systemd waits for the lame duck's time, the server's 17 s, and 15 s more"
  }
  assert {
    condition     = strcontains(local.unit, "KillMode=mixed\n") && strcontains(local.unit, "Restart=always\n") && strcontains(local.unit, "LimitNOFILE=65536\n")
    error_message = "the unit stops the primary first, starts it again, and gives it files enough"
  }
  assert {
    condition     = strcontains(local.unit, "User=fest\n") && strcontains(local.unit, "NoNewPrivileges=true\n") && strcontains(local.unit, "ProtectSystem=strict\n")
    error_message = "the server is not root and writes where it has to only"
  }
  assert {
    condition     = strcontains(local.server_env["server-2"], "FEST_TRUST_PROXY=10.20.0.0/20,10.20.16.0/20\n")
    error_message = "X-Forwarded-For is believed of the load balancer's subnets"
  }
  assert {
    condition     = toset([for file in jsondecode(split("\n", local.user_data["server-1"])[1]).write_files : file.path]) == toset(["/etc/fest/machine.env", "/etc/fest/server.env", "/etc/fest/cloudwatch-agent.json", "/etc/logrotate.d/fest", "/etc/systemd/system/fest-prepare.service", "/etc/systemd/system/fest.service", "/usr/local/sbin/fest-prepare", "/usr/local/bin/fest-server"])
    error_message = "the machine gets its environment, its units and its two programs"
  }
  assert {
    condition     = alltrue([for text in local.user_data : one([for user in jsondecode(split("\n", text)[1]).users : user.uid if user != "default"]) == 8765])
    error_message = "the server's user has the same number on every machine, so the next one may read the order log"
  }
  assert {
    condition     = jsondecode(local.agent["server-1"]).metrics.namespace == "fest/fest-test" && alltrue([for name in ["mem", "disk"] : jsondecode(local.agent["server-1"]).metrics.metrics_collected[name].append_dimensions == { server = "server-1" }])
    error_message = "figures of memory and disks go where the role allows, by the server's name"
  }
  assert {
    condition     = jsondecode(local.agent["server-1"]).agent.omit_hostname && !can(jsondecode(local.agent["server-1"]).metrics.append_dimensions)
    error_message = "figures have no dimension that changes with the machine, and none that takes a right of its own (ec2:DescribeTags)"
  }
  assert {
    condition     = toset([for file in jsondecode(local.agent["server-2"]).logs.logs_collected.files.collect_list : file.file_path]) == toset(["/var/log/fest/server.log", "/var/log/fest-prepare.log", "/var/log/cloud-init-output.log"])
    error_message = "the server's log is taken to CloudWatch, and so is why a machine does not get ready"
  }
  assert {
    condition     = base64decode(aws_launch_template.server["server-1"].user_data) == output.user_data["server-1"]
    error_message = "the launch template has what is put out"
  }
}

run "servers_are_replaced_one_after_the_other" {
  command = plan

  assert {
    condition     = [for step in jsondecode(aws_ssm_document.roll.content).mainSteps : step.name] == ["look_for_server_1", "has_buyers_server_1", "look_for_server_2", "has_buyers_server_2", "replace_server_1", "await_server_1", "find_server_1", "await_buyers_at_server_1", "replace_server_2", "await_server_2", "find_server_2", "await_buyers_at_server_2"]
    error_message = "the second server is replaced when the first one has buyers again"
  }
  assert {
    condition     = [for step in jsondecode(aws_ssm_document.roll.content).mainSteps : step.inputs.DesiredValues if step.action == "aws:assertAwsResourceProperty"] == [["healthy"], ["healthy"]]
    error_message = "no server is replaced while another one has no buyers: never are both away"
  }
  assert {
    condition     = alltrue([for step in jsondecode(aws_ssm_document.roll.content).mainSteps : step.onFailure == "Abort"])
    error_message = "the replacement ends at the first server that does not come up"
  }
  assert {
    condition     = [for step in jsondecode(aws_ssm_document.roll.content).mainSteps : step.inputs.DesiredValues if step.action == "aws:waitForAwsResourceProperty" && step.inputs.Service == "elbv2"] == [["healthy"], ["healthy"]]
    error_message = "up means that the load balancer finds the server healthy"
  }
}

run "the_gateways_folder_is_shared_encrypted_and_never_in_the_clear" {
  command = plan

  assert {
    condition     = aws_efs_file_system.gateway.encrypted && jsondecode(aws_efs_file_system_policy.gateway.policy).Statement[0].Effect == "Deny"
    error_message = "the ledger is encrypted, on the disk and on the way"
  }
  assert {
    condition     = toset(keys(aws_efs_mount_target.gateway)) == toset(["eu-central-1a", "eu-central-1b"])
    error_message = "each zone mounts it at an address of its own"
  }
}

run "a_machine_without_credits_has_no_credit_specification_and_more_can_be_said_to_the_server" {
  command = plan

  variables {
    instance_type     = "c7i.large"
    workers           = "2"
    extra_environment = { FEST_LIVE_SOCKETS = "30000" }
  }

  assert {
    condition     = alltrue([for template in aws_launch_template.server : length(template.credit_specification) == 0])
    error_message = "only burstable machines have processor credits"
  }
  assert {
    condition     = alltrue([for env in local.server_env : strcontains(env, "FEST_LIVE_SOCKETS=30000\n") && strcontains(env, "FEST_WORKERS=2\n")])
    error_message = "other variables of the server are passed on"
  }
}
