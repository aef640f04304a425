# tflint --init && tflint --recursive --config "$PWD/.tflint.hcl"
config {
  call_module_type = "local"
}

plugin "terraform" {
  enabled = true
  preset  = "all"
}

# Environments have providers in versions.tf; modules are a handful of files by subject instead of one main.tf.
rule "terraform_standard_module_structure" {
  enabled = false
}
