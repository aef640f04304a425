output "instance_profile_name" {
  description = "Profile that a server's machine has."
  value       = aws_iam_instance_profile.server.name
}

output "roll_role_arn" {
  description = "Role of the rolling replacement."
  value       = aws_iam_role.roll.arn
}
