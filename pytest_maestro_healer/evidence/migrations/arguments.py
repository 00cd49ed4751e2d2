"""Arguments that give what a callable did before an upgrade, as the package's own page says; and decorators that became one."""

from __future__ import annotations

from pytest_maestro_healer.evidence.migrations.rows import Table

_SKLEARN = "https://scikit-learn.org/stable/whats_new/v0.22.html"
_AWS = (
    "s3", "ec2", "dynamodb", "sqs", "sns", "ses", "sts", "iam", "ssm", "kms", "lambda", "logs", "events", "secretsmanager", "cloudformation",
    "cloudwatch", "route53", "ecs", "ecr", "kinesis", "firehose", "glue", "athena", "rds", "redshift", "stepfunctions", "apigateway",
    "apigatewayv2", "autoscaling", "batch", "cognitoidp", "cognitoidentity", "elb", "elbv2", "efs", "eks", "emr", "elasticache", "acm",
    "organizations", "ssoadmin", "xray",
)  # fmt: skip
_REDUCTIONS = ("mean", "median", "std", "var", "sem", "skew", "kurt", "quantile", "corr", "cov")

TABLES = (
    Table(
        "https://zepworks.com/deepdiff/current/changelog.html",
        "DeepDiff 8",
        former={"deepdiff.DeepDiff deepdiff.diff.DeepDiff": "threshold_to_diff_deeper=0"},
    ),
    Table(
        "https://pandas.pydata.org/docs/whatsnew/v2.0.0.html",
        "pandas 2",
        former={
            " ".join(f"pandas.core.frame.DataFrame.{f} pandas.DataFrame.{f}" for f in _REDUCTIONS): "numeric_only=True",
            "pandas.core.frame.DataFrame.groupby pandas.DataFrame.groupby": "group_keys=False",
        },
    ),
    Table(
        "https://www.python-httpx.org/compatibility/",
        "HTTPX 0.20",
        former={
            "httpx.get httpx.post httpx.put httpx.delete httpx.request httpx.Client httpx.AsyncClient": "follow_redirects=True",
        },
    ),
    Table(
        "https://numpy.org/doc/stable/release/2.0.0-notes.html",
        "NumPy 2",
        former={"numpy.linalg.lstsq": "rcond=-1"},
    ),
    Table(
        "https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.mode.html",
        "SciPy 1.11",
        former={"scipy.stats.mode": "keepdims=True"},
    ),
    Table(
        _SKLEARN,
        "scikit-learn 0.22",
        former={
            "sklearn.ensemble.RandomForestClassifier sklearn.ensemble.RandomForestRegressor": "n_estimators=10",
            "sklearn.svm.SVC sklearn.svm.SVR": 'gamma="auto"',
            "sklearn.linear_model.LogisticRegression": 'solver="liblinear"',
        },
    ),
    Table(
        "https://scikit-learn.org/stable/whats_new/v1.4.html",
        "scikit-learn 1.4",
        former={"sklearn.cluster.KMeans": "n_init=10"},
    ),
    Table(
        "https://marshmallow.readthedocs.io/en/stable/upgrading.html",
        "marshmallow 3",
        former={"marshmallow.Schema.load marshmallow.schema.Schema.load": "unknown=marshmallow.EXCLUDE"},
    ),
    Table(
        "https://docs.python.org/3/library/tarfile.html#tarfile-extraction-filter",
        "Python 3.14",
        former={"tarfile.TarFile.extractall tarfile.TarFile.extract": 'filter="fully_trusted"'},
    ),
    Table(
        "https://github.com/yaml/pyyaml/blob/main/CHANGES",
        "PyYAML 6",
        former={"yaml.load yaml.load_all": "Loader=yaml.FullLoader"},
    ),
    Table(
        "https://github.com/yaml/pyyaml/blob/main/CHANGES",
        "PyYAML 5.1",
        former={"yaml.dump yaml.safe_dump yaml.dump_all": "default_flow_style=None"},
    ),
    Table(
        "https://pyjwt.readthedocs.io/en/latest/changelog.html",
        "PyJWT 2",
        former={"jwt.decode jwt.api_jwt.decode jwt.api_jwt.PyJWT.decode jwt.api_jws.PyJWS.decode": 'algorithms=["HS256"]'},
    ),
    Table(
        "https://github.com/getmoto/moto/issues/7198",
        "moto 5",
        {"moto": " ".join(f"mock_{service}>mock_aws" for service in _AWS)},
    ),
)
