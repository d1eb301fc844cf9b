"""Fields of PhotosRecipe that switch off all variation, as in the published systems."""

PLAIN = {
    "sizing": "scales",
    "more_share": 0.0,
    "cut_share": 0.0,
    "empty_share": 0.0,
    "texture_share": 0.0,
    "blend_share": 0.0,
    "furniture_share": 0.0,
    "rotation_deg": 0.0,
    "aspect_jitter": 0.0,
    "colour_jitter": 0.0,
    "crop_min": 1.0,
    "camera_share": 0.0,
    "shadow_share": 0.0,
    "light_share": 0.0,
    "nuisances": False,
}
