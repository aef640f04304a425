# Rolling replacement as a document of Systems Manager: it does not begin unless every server has buyers; then each in turn, the next one
# only when the load balancer gives buyers to the new one. It ends at the first that does not come up, with the others selling.
#   aws ssm start-automation-execution --document-name NAME-roll

locals {
  # One that is away already, and the one that is replaced, may be all there are.
  roll_checks = [for name in sort(keys(var.slots)) : [
    {
      name      = "look_for_${replace(name, "-", "_")}"
      action    = "aws:executeAwsApi"
      onFailure = "Abort"
      inputs = {
        Service               = "autoscaling"
        Api                   = "DescribeAutoScalingGroups"
        AutoScalingGroupNames = [aws_autoscaling_group.server[name].name]
      }
      outputs = [{ Name = "Instance", Selector = "$.AutoScalingGroups[0].Instances[0].InstanceId", Type = "String" }]
    },
    {
      name      = "has_buyers_${replace(name, "-", "_")}"
      action    = "aws:assertAwsResourceProperty"
      onFailure = "Abort"
      inputs = {
        Service          = "elbv2"
        Api              = "DescribeTargetHealth"
        TargetGroupArn   = var.target_group_arn
        Targets          = [{ Id = "{{ look_for_${replace(name, "-", "_")}.Instance }}" }]
        PropertySelector = "$.TargetHealthDescriptions[0].TargetHealth.State"
        DesiredValues    = ["healthy"]
      }
    },
  ]]

  roll_steps = [for name in sort(keys(var.slots)) : [
    {
      name      = "replace_${replace(name, "-", "_")}"
      action    = "aws:executeAwsApi"
      onFailure = "Abort"
      inputs = {
        Service              = "autoscaling"
        Api                  = "StartInstanceRefresh"
        AutoScalingGroupName = aws_autoscaling_group.server[name].name
        Preferences          = { MinHealthyPercentage = 0, MaxHealthyPercentage = 100, InstanceWarmup = 0, SkipMatching = false }
      }
      outputs = [{ Name = "Refresh", Selector = "$.InstanceRefreshId", Type = "String" }]
    },
    {
      name           = "await_${replace(name, "-", "_")}"
      action         = "aws:waitForAwsResourceProperty"
      onFailure      = "Abort"
      timeoutSeconds = 1800
      inputs = {
        Service              = "autoscaling"
        Api                  = "DescribeInstanceRefreshes"
        AutoScalingGroupName = aws_autoscaling_group.server[name].name
        InstanceRefreshIds   = ["{{ replace_${replace(name, "-", "_")}.Refresh }}"]
        PropertySelector     = "$.InstanceRefreshes[0].Status"
        DesiredValues        = ["Successful"]
      }
    },
    {
      name      = "find_${replace(name, "-", "_")}"
      action    = "aws:executeAwsApi"
      onFailure = "Abort"
      inputs = {
        Service               = "autoscaling"
        Api                   = "DescribeAutoScalingGroups"
        AutoScalingGroupNames = [aws_autoscaling_group.server[name].name]
      }
      outputs = [{ Name = "Instance", Selector = "$.AutoScalingGroups[0].Instances[0].InstanceId", Type = "String" }]
    },
    {
      name           = "await_buyers_at_${replace(name, "-", "_")}"
      action         = "aws:waitForAwsResourceProperty"
      onFailure      = "Abort"
      timeoutSeconds = 900
      inputs = {
        Service          = "elbv2"
        Api              = "DescribeTargetHealth"
        TargetGroupArn   = var.target_group_arn
        Targets          = [{ Id = "{{ find_${replace(name, "-", "_")}.Instance }}" }]
        PropertySelector = "$.TargetHealthDescriptions[0].TargetHealth.State"
        DesiredValues    = ["healthy"]
      }
    },
  ]]
}

resource "aws_ssm_document" "roll" {
  name            = "${var.name}-roll"
  document_type   = "Automation"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "0.3"
    description   = "Replaces the servers of ${var.name} one after the other."
    assumeRole    = var.roll_role_arn
    mainSteps     = flatten([local.roll_checks, local.roll_steps])
  })
}
