"""Recipes: hyperparameters that do well, for who does not want to choose them; what the photos decide is left out."""

IMAGE = "433757028032.dkr.ecr.us-west-2.amazonaws.com/image-classification:1"
"""The algorithm's image as AWS's clients name it; the part behind the last slash counts."""

RECIPE = {
    "optimizer": "adamw",
    "lr_scheduler": "one_cycle",
    "weight_decay": "0.05",
    "mini_batch_size": "32",
    "backbone": "mobilenet_v2",
    "use_pretrained_model": "1",
    "image_shape": "3,96,96",
    "epochs": "8",
    "learning_rate": "0.001",
}
"""All layers of a pretrained MobileNetV2."""
MARBLES = {"augmentation_type": "inspection"}
"""A marble is what it is from every side and in every colour."""
OWN_PHOTOS = {"augmentation_type": "crop"}
"""Of somebody's own photos we do not know whether a turn or another colour makes another class."""
