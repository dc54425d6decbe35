from ._augmented import AugmentedClassifier as AugmentedClassifier
from ._cnn import CNNEmotionClassifier as CNNEmotionClassifier
from ._voting import SoftVotingClassifier as SoftVotingClassifier
