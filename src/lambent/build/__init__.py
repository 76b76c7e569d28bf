"""From a project to what Lambda runs: a zip, a layer, an image."""
