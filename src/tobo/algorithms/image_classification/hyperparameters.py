"""The hyperparameters, as data: SageMaker's names, defaults and ranges, and ours at the end.

Source of the first part: SageMaker Developer Guide, "Image Classification Hyperparameters".
"""

from tobo.kit.algorithm import Hyperparameter

IMAGENET_LAYERS = (18, 34, 50, 101, 152, 200)
CIFAR_LAYERS = (20, 32, 44, 56, 110)
AUGMENTATIONS = ("crop", "crop_color", "crop_color_transform", "inspection", "inspection_transform")

_FLAG = ("0", "1")
_BOOLEAN = ("true", "false", "True", "False")

_CONTRACT = (
    Hyperparameter("num_classes", "int", required=True, low=1, description="Number of classes."),
    Hyperparameter("num_training_samples", "int", required=True, low=1, description="Number of training pictures."),
    Hyperparameter(
        "num_layers",
        "choice",
        "152",
        choices=tuple(str(n) for n in IMAGENET_LAYERS + CIFAR_LAYERS),
        description="Depth of the ResNet: 18 to 200 are the ImageNet type, 20, 32, 44, 56 and 110 the CIFAR type.",
    ),
    Hyperparameter(
        "use_pretrained_model", "choice", "0", choices=_FLAG, description="1 starts from pretrained weights."
    ),
    Hyperparameter(
        "image_shape",
        "text",
        "3,224,224",
        pattern=r"\s*[13]\s*,\s*[1-9]\d*\s*,\s*[1-9]\d*\s*",
        description="channels,height,width that the network sees.",
    ),
    Hyperparameter("epochs", "int", "30", low=1),
    Hyperparameter("mini_batch_size", "int", "32", low=1, tunable=True),
    Hyperparameter("learning_rate", "float", "0.1", low=0, high=1, tunable=True),
    Hyperparameter(
        "optimizer",
        "choice",
        "sgd",
        choices=("sgd", "adam", "rmsprop", "nag", "adamw"),
        tunable=True,
        description="adamw is ours: adam with decoupled weight_decay.",
    ),
    Hyperparameter("momentum", "float", "0.9", low=0, high=1, tunable=True, description="sgd and nag."),
    Hyperparameter("weight_decay", "float", "0.0001", low=0, high=1, tunable=True, description="sgd, nag and adamw."),
    Hyperparameter("beta_1", "float", "0.9", low=0, high=1, tunable=True, description="adam and adamw."),
    Hyperparameter("beta_2", "float", "0.999", low=0, high=1, tunable=True, description="adam and adamw."),
    Hyperparameter("eps", "float", "1e-8", low=0, high=1, tunable=True, description="adam, adamw and rmsprop."),
    Hyperparameter("gamma", "float", "0.9", low=0, high=1, tunable=True, description="rmsprop."),
    Hyperparameter(
        "lr_scheduler_factor",
        "float",
        "0.1",
        low=0,
        high=1,
        description="The learning rate is multiplied by it at each epoch of lr_scheduler_step.",
    ),
    Hyperparameter("lr_scheduler_step", "text", pattern=r"\s*\d+(\s*,\s*\d+)*\s*", description='Epochs: "10,20".'),
    Hyperparameter(
        "augmentation_type",
        "choice",
        choices=AUGMENTATIONS,
        description="crop: random crop and mirror; crop_color: also hue, saturation, lightness by up to 36, 50, 50; "
        "crop_color_transform: also rotation to 10 degrees, shear to 0.1, aspect to 0.25; "
        "inspection (ours): quarter turns, mirrors and swapped colour channels, for parts that lie as they fall; "
        "inspection_transform (ours): also any angle, size by 12 %, place by 4 % of the side.",
    ),
    Hyperparameter("resize", "int", low=1, description="Shortest side before the crop; without it nothing is cropped."),
    Hyperparameter("early_stopping", "choice", "false", choices=_BOOLEAN),
    Hyperparameter("early_stopping_min_epochs", "int", "10", low=1),
    Hyperparameter("early_stopping_patience", "int", "5", low=1),
    Hyperparameter("early_stopping_tolerance", "float", "0.0", low=0, high=1, description="Relative."),
    Hyperparameter("checkpoint_frequency", "int", low=1, description="Keep the model of every n-th epoch as well."),
    Hyperparameter("multi_label", "choice", "0", choices=_FLAG, description="1: each picture may have several labels."),
    Hyperparameter("use_weighted_loss", "choice", "0", choices=_FLAG, description="1: rare classes weigh more."),
    Hyperparameter("top_k", "int", low=2, description="Report top-k accuracy as well."),
    Hyperparameter(
        "precision_dtype",
        "choice",
        "float32",
        choices=("float32", "float16"),
        description="float16 computes in bfloat16 on a CPU, with float32 weights; on many CPUs that is slower.",
    ),
    Hyperparameter(
        "kv_store", "choice", choices=("dist_sync", "dist_async"), description="Taken and unused on a single machine."
    ),
)

_OURS = (
    Hyperparameter("backbone", "choice", "resnet", choices=("resnet", "mobilenet_v2")),
    Hyperparameter(
        "train_layers",
        "choice",
        "all",
        choices=("all", "head"),
        description="head: the backbone stays as it is; a logistic head learns from its features in seconds.",
    ),
    Hyperparameter(
        "pretrained_weights",
        "text",
        pattern=r".+",
        description="formula (what tobo brings), a .safetensors file, a folder of them, an s3:// address of either, or "
        "a hub name (owner/model).",
    ),
    Hyperparameter(
        "head_c", "float", "0.3", low=1e-6, high=1e6, tunable=True, description="Inverse L2 strength of the head."
    ),
    Hyperparameter(
        "lr_scheduler",
        "choice",
        "step",
        choices=("step", "one_cycle"),
        description="one_cycle: up over the first quarter, then down to zero, both along a cosine.",
    ),
    Hyperparameter("label_smoothing", "float", "0", low=0, high=0.5, tunable=True),
    Hyperparameter(
        "weight_averaging",
        "float",
        "0",
        low=0,
        high=0.99999,
        tunable=True,
        description="Decay of a running average of the weights that is validated and kept instead; 0 is off.",
    ),
    Hyperparameter("seed", "int", "0", low=0, high=2**31 - 1),
)

HYPERPARAMETERS = _CONTRACT + _OURS
