# A function behind an HTTP API.

module "http_api" {
  source  = "./function"
  name    = "hello-http-api"
  zip     = local.zip
  handler = "hello.web.handler"
  timeout = 29 # an HTTP API waits for 30 seconds, and no longer
}

resource "aws_apigatewayv2_api" "http" {
  name          = "hello-http-api"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "http" {
  api_id                 = aws_apigatewayv2_api.http.id
  integration_type       = "AWS_PROXY"
  integration_uri        = module.http_api.invoke_arn
  payload_format_version = "2.0" # Terraform's own default is 1.0
}

resource "aws_apigatewayv2_route" "http" {
  api_id    = aws_apigatewayv2_api.http.id
  route_key = "$default" # every method and path
  target    = "integrations/${aws_apigatewayv2_integration.http.id}"
}

resource "aws_apigatewayv2_stage" "http" {
  api_id      = aws_apigatewayv2_api.http.id
  name        = "$default" # no part of the path
  auto_deploy = true
}

resource "aws_lambda_permission" "http" {
  action        = "lambda:InvokeFunction"
  function_name = module.http_api.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.http.execution_arn}/*"
}

output "http_api_url" {
  value = aws_apigatewayv2_stage.http.invoke_url
}
