"""Where a process runs: the only reader of the environment (`BALLAST_*`, JAVA_HOME, and keys that a recipe names)."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.errors import InputError


class SettingsError(InputError):
    """A variable of the environment has a value that can't be used."""


class Settings(BaseSettings):
    """Every setting; the variable is the name in capitals with `BALLAST_` before it."""

    model_config = SettingsConfigDict(env_prefix="BALLAST_", frozen=True)

    kafka_bootstrap: str | None = Field(default=None, description="A Kafka of yours; unset: an embedded one.")
    home: Path = Field(default=Path.home() / ".local" / "state" / "ballast", description="State of each pipeline.")
    cache: Path = Field(default=Path.home() / ".cache" / "ballast", description="The broker's jars; may be deleted.")
    java_home: Annotated[Path | None, Field(validation_alias="JAVA_HOME")] = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics_port: int | None = Field(default=None, ge=1, le=65_535, description="Serve /metrics there.")
    dead_letter_limit: int = Field(default=100, ge=0, description="Dead letters in 1,000 records before a stage stops.")
    review_host: str = Field(default="127.0.0.1", min_length=1, description="Address of the reviewers' page.")
    evaluate_host: str = Field(default="127.0.0.1", min_length=1, description="Address that takes scores by HTTP.")
    evaluate_token: SecretStr | None = Field(default=None, min_length=16, description="Asked of who reports scores.")
    openai_api_key: SecretStr | None = Field(default=None, description="Key of OpenAI's models.")
    anthropic_api_key: SecretStr | None = Field(default=None, description="Key of Anthropic's models.")

    def folder(self, pipeline: str) -> Path:
        """Return the state folder of one pipeline: broker, logs, and who runs."""
        return self.home / pipeline

    def spools(self, pipeline: str) -> Path:
        """Return where one pipeline's stages keep local copies of topics; may be deleted while nothing runs."""
        return self.folder(pipeline) / "spools"

    def key(self, variable: str) -> SecretStr | None:
        """Return the key that a variable holds, by the name that a recipe may give; None if it is unset or empty."""
        ours = {"BALLAST_OPENAI_API_KEY": self.openai_api_key, "BALLAST_ANTHROPIC_API_KEY": self.anthropic_api_key}
        found = ours[variable] if variable in ours else SecretStr(os.environ.get(variable, ""))
        return found if found is not None and found.get_secret_value() else None


def read() -> Settings:
    """Read the environment; raises SettingsError with one sentence."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]).upper()
        variable = name if name == "JAVA_HOME" else f"BALLAST_{name}"
        raise SettingsError(f"{variable}: {first['msg']}; change or unset it") from None
