"""Routes → an OpenAPI 3.1 document, and the page that shows it. Loaded when one of them is asked for, never at init."""
