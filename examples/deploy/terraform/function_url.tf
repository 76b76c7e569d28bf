# A function with an address of its own, which streams its responses.

module "function_url" {
  source      = "./function"
  name        = "hello-function-url"
  zip         = local.zip
  handler     = "hello.web.handler"
  timeout     = 300 # up to 900: a Function URL has no limit of its own
  environment = { LAMBENT_STREAM = "1" }
}

resource "aws_lambda_function_url" "url" {
  function_name      = module.function_url.name
  authorization_type = "NONE"            # public; AWS_IAM takes signed requests only
  invoke_mode        = "RESPONSE_STREAM" # one side; LAMBENT_STREAM is the other
}

resource "aws_lambda_permission" "url" { # a URL needs two; the provider adds that of lambda:InvokeFunctionUrl itself
  action                   = "lambda:InvokeFunction"
  function_name            = module.function_url.name
  principal                = "*"
  invoked_via_function_url = true
}

output "function_url" {
  value = aws_lambda_function_url.url.function_url
}
