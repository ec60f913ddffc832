"""What the console has, in the order of the story: the sidebar, the palette and the tests read it here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One screen of the sidebar. `path` without the console's root; `icon` a symbol of icons.svg."""

    title: str
    path: str
    icon: str


@dataclass(frozen=True)
class Group:
    title: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Listed:
    """A kind of resource that the palette finds: how it is listed, and where one is shown."""

    kind: str
    icon: str
    service: str
    operation: str
    members: str
    name: str
    path: str
    """First part of the address; the name follows."""
    searched: bool = True
    """Whether the operation finds a part of a name by itself; else its pages are looked through."""


NAVIGATION: tuple[Group, ...] = (
    Group("", (Place("Home", "", "house"),)),
    Group(
        "Data",
        (
            Place("S3", "s3", "hard-drive"),
            Place("Labelling jobs", "labeling-jobs", "tag"),
            Place("Labelling queues", "labelling", "images"),
            Place("Human review", "flow-definitions", "clipboard-list"),
            Place("Work", "work", "pencil"),
        ),
    ),
    Group(
        "Learn",
        (
            Place("Notebooks", "notebooks", "flask-conical"),
            Place("Training jobs", "training-jobs", "graduation-cap"),
            Place("Tuning jobs", "tuning-jobs", "sliders-horizontal"),
            Place("Algorithms", "algorithms", "boxes"),
            Place("Evaluation", "evaluation", "target"),
            Place("Pipelines", "pipelines", "refresh-cw"),
        ),
    ),
    Group(
        "Deploy",
        (
            Place("Models", "models", "box"),
            Place("Model registry", "model-packages", "badge-check"),
            Place("Endpoints", "endpoints", "send"),
            Place("Batch transforms", "transform-jobs", "layers"),
            Place("Compilation", "compilation-jobs", "cpu"),
            Place("Market", "market", "store"),
        ),
    ),
    Group(
        "Edge",
        (
            Place("Fleets", "fleets", "router"),
            Place("Devices", "devices", "camera"),
            Place("Packaging jobs", "packaging-jobs", "package"),
            Place("Deployment plans", "deployment-plans", "rocket"),
        ),
    ),
    Group(
        "House",
        (
            Place("Alarms", "alarms", "bell"),
            Place("Topics", "topics", "radio-tower"),
            Place("Event rules", "event-rules", "list-filter"),
            Place("Costs", "costs", "coins"),
            Place("Budgets", "budgets", "gauge"),
            Place("Reaper", "reaper", "moon"),
            Place("Instances", "instances", "microchip"),
            Place("Users and roles", "users", "users"),
            Place("Audit log", "audit", "scroll-text"),
            Place("Settings", "settings", "settings"),
        ),
    ),
)

WORKERS: tuple[Group, ...] = (Group("", (Place("Work", "work", "pencil"),)),)
"""What there is for people who sign in to label."""

DEEDS: tuple[Place, ...] = (
    Place("Work teams", "labelling/teams", "users"),
    Place("Label what waits for me", "work", "pencil"),
    Place("Train on your photos", "wizard", "wand-sparkles"),
    Place("Create labelling job", "labeling-jobs/create", "tag"),
    Place("Create flow definition", "flow-definitions/create", "clipboard-list"),
    Place("Create notebook", "notebooks/create", "flask-conical"),
    Place("Lifecycle configurations", "lifecycle-configs", "terminal"),
    Place("Create lifecycle configuration", "lifecycle-configs/create", "terminal"),
    Place("Code repositories", "code-repositories", "code"),
    Place("Add code repository", "code-repositories/create", "code"),
    Place("Create training job", "training-jobs/create", "graduation-cap"),
    Place("Create tuning job", "tuning-jobs/create", "sliders-horizontal"),
    Place("Improve a model", "pipelines/improve", "refresh-cw"),
    Place("Register a model", "model-packages/register", "badge-check"),
    Place("Deploy an endpoint", "endpoints/create", "send"),
    Place("Create batch transform", "transform-jobs/create", "layers"),
    Place("Compile a model", "compilation-jobs/create", "cpu"),
    Place("Packages without versions", "packages", "package"),
    Place("Market subscriptions", "market/subscriptions", "store"),
    Place("Sell on the market", "market/selling", "store"),
    Place("Offer a model on the market", "market/selling/publish", "store"),
    Place("Create fleet", "fleets/create", "router"),
    Place("Enrol a device", "enroll", "camera"),
    Place("Package a model", "packaging-jobs/create", "package"),
    Place("Create deployment plan", "deployment-plans/create", "rocket"),
    Place("Create event rule", "event-rules/create", "list-filter"),
    Place("Create budget", "budgets/create", "gauge"),
    Place("Create reaper rule", "reaper/create", "moon"),
)
"""What one can begin from the palette."""

LISTED: tuple[Listed, ...] = (
    Listed(
        *("Labelling job", "tag", "sagemaker", "ListLabelingJobs"),
        *("LabelingJobSummaryList", "LabelingJobName", "labeling-jobs"),
    ),
    Listed(
        *("Notebook", "flask-conical", "sagemaker", "ListNotebookInstances"),
        *("NotebookInstances", "NotebookInstanceName", "notebooks"),
    ),
    Listed(
        *("Lifecycle configuration", "terminal", "sagemaker", "ListNotebookInstanceLifecycleConfigs"),
        *("NotebookInstanceLifecycleConfigs", "NotebookInstanceLifecycleConfigName", "lifecycle-configs"),
    ),
    Listed(
        *("Code repository", "code", "sagemaker", "ListCodeRepositories"),
        *("CodeRepositorySummaryList", "CodeRepositoryName", "code-repositories"),
    ),
    Listed(
        *("Training job", "graduation-cap"),
        *("sagemaker", "ListTrainingJobs", "TrainingJobSummaries", "TrainingJobName", "training-jobs"),
    ),
    Listed(
        *("Tuning job", "sliders-horizontal", "sagemaker", "ListHyperParameterTuningJobs"),
        *("HyperParameterTuningJobSummaries", "HyperParameterTuningJobName", "tuning-jobs"),
    ),
    Listed(
        *("Algorithm", "boxes", "sagemaker", "ListAlgorithms"),
        *("AlgorithmSummaryList", "AlgorithmName", "algorithms"),
    ),
    Listed(
        *("Pipeline", "refresh-cw", "sagemaker", "ListPipelines", "PipelineSummaries", "PipelineName", "pipelines"),
    ),
    Listed(*("Model", "box", "sagemaker", "ListModels", "Models", "ModelName", "models")),
    Listed(
        *("Model group", "badge-check", "sagemaker", "ListModelPackageGroups"),
        *("ModelPackageGroupSummaryList", "ModelPackageGroupName", "model-packages"),
    ),
    Listed(
        *("Model package", "package", "sagemaker", "ListModelPackages"),
        *("ModelPackageSummaryList", "ModelPackageName", "packages"),
    ),
    Listed(*("Endpoint", "send", "sagemaker", "ListEndpoints", "Endpoints", "EndpointName", "endpoints")),
    Listed(
        *("Batch transform", "layers", "sagemaker", "ListTransformJobs"),
        *("TransformJobSummaries", "TransformJobName", "transform-jobs"),
    ),
    Listed(
        *("Compilation job", "cpu", "sagemaker", "ListCompilationJobs"),
        *("CompilationJobSummaries", "CompilationJobName", "compilation-jobs"),
    ),
    Listed(*("Fleet", "router", "sagemaker", "ListDeviceFleets", "DeviceFleetSummaries", "DeviceFleetName", "fleets")),
    Listed(
        *("Packaging job", "package", "sagemaker", "ListEdgePackagingJobs"),
        *("EdgePackagingJobSummaries", "EdgePackagingJobName", "packaging-jobs"),
    ),
    Listed(
        *("Deployment plan", "rocket", "sagemaker", "ListEdgeDeploymentPlans"),
        *("EdgeDeploymentPlanSummaries", "EdgeDeploymentPlanName", "deployment-plans"),
    ),
    Listed("Alarm", "bell", "cloudwatch", "DescribeAlarms", "MetricAlarms", "AlarmName", "alarms", searched=False),
    Listed("Topic", "radio-tower", "sns", "ListTopics", "Topics", "TopicArn", "topics", searched=False),
    Listed("Event rule", "list-filter", "events", "ListRules", "Rules", "Name", "event-rules", searched=False),
    Listed("Budget", "gauge", "budgets", "DescribeBudgets", "Budgets", "BudgetName", "budgets", searched=False),
    Listed("Reaper rule", "moon", "tobo-reaper", "ListRules", "Rules", "RuleName", "reaper", searched=False),
)


def listed_at(path: str) -> Listed:
    """The kind that is shown there. Raises KeyError."""
    return {listed.path: listed for listed in LISTED}[path]
