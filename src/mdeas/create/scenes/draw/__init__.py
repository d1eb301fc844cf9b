"""What a scene is made of: places, furniture, things; drawn with numpy before rendering."""
