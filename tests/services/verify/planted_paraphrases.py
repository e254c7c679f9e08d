"""What 30 documents of the plays say, said again by hand in the English of today, as models do that rephrase a seed."""

import random
import re

from human_texts import documents
from planting import answering

from streams.samples import Sample

_BY_BEGINNING = {
    "copy and book, That fashion'd others.": """
Everyone else modelled themselves on him, that amazing man, that marvel of the human race. You abandoned him,
though nobody was his equal and you gave him no support. He had to face the horror of war at a disadvantage,
holding ground that only Hotspur's name made it possible to hold. That is how you left him. So do not insult his
spirit by keeping your word more scrupulously to others than you did to him.
""",
    "you will make't an action, call witness to't.": """
If you mean to sue me over it, bring witnesses! I shall tell your father. And your mother as well; she is fond
of me and will surely think only the worst. I leave you to your anger, sir. I will have my revenge. Calling me
less than his poorest clothes! CYMBELINE Do not worry: I only wish I were as certain to win over the king as I
am that she will stay faithful. How do you approach him? I do not.
""",
    "As sensual as the brutish sting itself;": """
You have been as lustful as an animal, and all the sores and diseases you picked up in your loose living you
would now vomit over the whole world. But who that complains of pride can be accused of attacking one person?
Does it not swell as huge as the ocean until the means to pay for it run dry? Which woman of the town am I
naming if I say that city wives wear what only princes can afford?
""",
    "shall I fashion me to wear a cloak?": """
How should I arrange a cloak on me? Please let me try yours on. Now what is this letter here? It says 'To
Silvia', and here is a rope ladder, just the tool for my plan. I shall dare to open the seal this once. He
writes that every night his thoughts live with Silvia, that they are slaves whom he sends flying to her, and
that if their master could travel so easily he would lodge where those unfeeling things are lying.
""",
    "lords, A man that more detests,": """
My lords, there is no man alive who hates people that disturb the public peace more than I do, or who works
harder against them, in his own conscience and in his office. I pray that the king never meets anyone less
loyal. Those who feed on envy and spite will attack even the best. I beg you that in this trial my accusers,
whoever they are, should come forward and charge me openly to my face.
""",
    "which flies the higher pitch;": """
Ask me which hawk flies higher, which of two dogs has the deeper bark, which sword is better tempered, which
horse carries itself best or which girl has the happiest eyes, and I may have a little skill to judge. But when
it comes to these subtle fine points of the law, honestly, I know no more than a jackdaw. RICHARD Come, that is
just a polite evasion. The truth is so plainly on my side.
""",
    "it were that ravished our sister:": """
They are the ones who raped our sister. Because of their crimes our brothers lost their heads, our father's
weeping was scorned, and he was cheated of the honest hand that had fought Rome's wars and sent her enemies to
their graves. Finally I was cruelly exiled, the gates were closed behind me, and I was driven out in tears to
beg help from the enemies of Rome, who forgot their hatred when I wept and embraced me as a friend.
""",
    "trust to your conditions: be whores still;": """
Keep to your trade and stay whores. If some holy man tries with his pious talk to convert you, be stronger in
whoring: seduce him, burn him, let your hidden fire beat his smoke, and never change sides. Still, may half the
year be misery for you. Cover your thinning heads with hair taken from the dead, even from hanged men; wear it
and deceive with it. Put paint on until a horse could sink in your face. Curse the wrinkles!
""",
    "down-fall'n birthdom: each new morn": """
Our native land has fallen. Every morning there are new widows howling and orphans crying, and fresh grief hits
heaven in the face, so that the sky echoes as though it suffered with Scotland and shouted the same cry of pain.
I will mourn what I believe, believe what I know, and put right what I can when the time is favourable. What you
say may be true. This tyrant, whose very name hurts our tongues, used to be considered honest.
""",
    "blemish'd, pawn'd his knightly virtue;": """
You have stained the Garter and sold off its chivalry; you have stolen the crown and shamed its royal glory. If
you want to swear an oath that anyone will believe, choose something you have not wronged. By the world, then?
It is full of your crimes. By my father's death? Your life has dishonoured it. By myself? You abuse yourself. By
God? You have wronged God most of all, for had you feared to break your oath to Him the peace that the king made
would have held.
""",
    "of circumstance, That, I being absent": """
He may keep me away so long that, while I am gone and someone else has my post, my general forgets how I loved
and served him. Do not be afraid of that. With Emilia here as witness I promise you your place. Believe me, when
I swear friendship I carry it through to the last point. My husband will get no peace: I shall keep him awake
and talk until he gives in. His bed will be like a school and his table a confessional, and I will bring
Cassio's suit into everything.
""",
    "till it be morrow. Sleep dwell upon thine eyes,": """
I could say good night until tomorrow. May sleep rest on your eyes and peace in your heart; how I wish I were
both, to lie in so sweet a place! Now I will go to the cell of my holy father to ask for his help and tell him
of my good luck. The grey morning smiles at the scowling night and streaks the clouds in the east with light,
while darkness staggers like a drunk out of the sun's way. Before the sun's hot eye rises...
""",
    "I can again thy former light restore,": """
I can light the lamp once more if I change my mind. But when your light is put out, you, the finest model that
nature ever made, I do not know where to find the divine fire that could kindle it again. Once I have picked the
rose I cannot make it grow; it has to wither. Let me smell it on the branch. Oh, your sweet breath could almost
talk Justice into breaking her sword! Another kiss, and another. Stay like this when you are dead.
""",
    "to Calais pack, And bid the King": """
Off with you to Calais, and tell the King to get a noble tomb ready for his royal son, black Edward. As you ride
west from here, about six miles away, there is a high hill so tall that it seems to have no summit, since the
sky wraps it and hides its head in blue. When you reach the top, look back down on the valley, which used to be
humble and is now proud with weapons, and see from there...
""",
    "body more with thy embraces,": """
If you ever put your arms round him again, I shall think of a death for you as cruel as you are delicate. So I
am ruined here. Yet I was not really frightened. Once or twice I nearly spoke up to tell him that the very sun
which shines on his palace does not turn its face from our cottage, but looks on both the same. Will you please
leave, sir? I warned you what would happen. I beg you, look after your own position.
""",
    "My uncle is return'd: Deliver up": """
My uncle has come back, so release the Earl of Westmoreland. What news, uncle? The king means to fight you at
once. Send him our defiance through Westmoreland. Lord Douglas, you go and tell him that. I certainly will, and
gladly. The king shows no sign of mercy. Surely you did not plead for any? Heaven forbid. I spoke mildly of our
complaints and of how he broke his oath, and he made it better by swearing falsely that he had not. He calls us
rebels.
""",
    "and cut and trimm'd, and 'twas Trim": """
She was washed and cut and trimmed, and it was neat sport for those who did it. What barbaric, brutal villains,
just like you! Yes, I was the teacher who trained them. Their lust they got from their mother, as surely as any
card ever took a game, and that bloody streak I believe they learned from me, as true a dog as ever fought head
on. Let what I have done prove my worth. I led your brothers to the pit.
""",
    "daughter of Agenor had, That made": """
She has the sweet beauty of Agenor's daughter, which made mighty Jove humble himself for her hand when he
kneeled on the shore of Crete. Was that all you noticed? Did you not see how her sister started to shout and
make such a racket that human ears could scarcely bear it? Tranio, I saw her lips of coral moving, and her
breath made the air fragrant. Everything that I saw in her was holy and sweet. Well then, it is time to wake
him.
""",
    "time is fair again. My high-repented blames,": """
The weather has turned fair once more. Dear king, forgive the faults that I bitterly regret. All is well, and we
shall say no more about what is past. Let us seize the moment by the forelock, because we are old, and Time
creeps with silent steps past our quickest decisions before we can carry them out. Do you remember this lord's
daughter? With admiration, my liege. I chose her at first sight, before my heart dared let my tongue speak for
it.
""",
    "is good, an your goose be fat.": """
Your bargain is a good one, sir, provided the goose is fat. Selling well takes as much cunning as the game of
fast and loose. Let me think: a fat l'envoy, yes, that means a fat goose. Come over here. How did this argument
start? I said that a costard had broken its shin, and then you asked for the l'envoy. Right, and I wanted a
plantain, and so you came in with your argument; after that came the boy's fat l'envoy, the goose you purchased,
which finished the market.
""",
    "up, Had but your gracious self": """
I would have surrendered him straight away if your majesty had been here in person. But you defied the order of
the King, Copland, and ignored what we commanded in his name. I respect his name, but I respect the man more.
His name will always keep me loyal, but it is to himself that I kneel. Philip, please let go of your anger. I
like this fellow and what he says. Who would try to do great things and then lose the fame of it?
""",
    "word? you take your pennyworths now;": """
Not a word? You are getting your sleep in now; sleep for a week, since tomorrow night, I promise, Count Paris
has made up his mind that you shall hardly rest at all. God forgive me for that, amen! How deeply she sleeps! I
have to wake her. Madam, madam! If the count finds you in bed he will give you a fright, will he not? What is
this, dressed in all your clothes and lying down again? I really must wake you.
""",
    "a sea nourish'd with lovers' tears:": """
It is an ocean fed by the tears of lovers. What else is it? The sanest kind of madness, a bitterness that chokes
you and a sweetness that keeps you alive. Goodbye, cousin. Wait, I am coming with you; it is unfair to leave me
like this. Oh, I have lost myself. I am not here; this is not Romeo, who is somewhere else. Tell me seriously,
who do you love? Should I groan as I tell you? Groan? No, just tell me in earnest who it is.
""",
    "him, and the bleared sights Are": """
Everybody talks of him, and people with weak eyes put on glasses to see him. The chattering nurse lets her baby
scream itself into a fit while she gossips about him. The kitchen maid fastens her best linen round her dirty
neck and climbs walls for a look. Stalls, counters and windows are packed, roofs are crowded, people of all
sorts sit astride the ridges, all eager to see him. Priests who hardly ever appear push through the mob, panting
for a place, and ladies in veils come too.
""",
    "argument; It is too starved a subject": """
I cannot fight over this; the cause is too thin for my sword. But Pandarus, gods, how you torment me! I can
reach Cressid only through Pandar, and he is as touchy about being asked to court her as she is stubbornly
chaste against every suitor. Apollo, by your love for Daphne, tell me what Cressid is, what Pandar is, and what
I am. Her bed is India, and she lies in it like a pearl. Between Troy and where she lives, call it a wild ocean.
""",
    "I smell a man of middle-earth.": """
I can smell a mortal man. Heaven protect me from that Welsh fairy, in case he turns me into a lump of cheese!
You vile worm, you were bewitched from birth. Touch the tip of his finger with fire as a test. If he is pure,
the flame will go back down and not hurt him; but if he flinches, his heart is corrupt. Come on, test him. Will
this wood catch fire? Ow, ow, ow! He is corrupt, corrupt and rotten.
""",
    "must forbear: here comes the gentleman,": """
We had better stop, for here come the gentleman, the queen and the princess. You may be sure, daughter, that I
shall not look at you with the evil eye that most stepmothers are accused of. You are my prisoner, but your
jailer will hand you the keys to your own cell. As for you, Posthumus, as soon as I can calm the angry king I
shall speak up for you. But he is still burning with rage, and it would be wise to accept his sentence
patiently.
""",
    "to the Duke of Norfolk, And tell": """
Go to the Duke of Norfolk and let him know in secret what we plan. Edward, you are to see Lord Cobham, with whom
the men of Kent will gladly rise. I trust them, because they are soldiers, clever and polite, generous and
spirited. While you are busy with that, what else remains but for me to find a chance to rise without the king,
or anyone of the house of Lancaster, learning what I intend? But wait, what is the news? Why have you come so
fast?
""",
    "less in love Than is the doting": """
A grandmother's name has hardly less love in it than a fond mother's title. They are your children too, only one
step further down, with your spirit and your own blood, and they cost the same pain, except for one night of
labour suffered by her for whom you once suffered likewise. Your children troubled you when you were young, but
mine will comfort you in your old age. All you have lost is a son who was king, and through that loss your
daughter becomes queen.
""",
    "disobedient opposition To you and": """
I have learned to be sorry for disobeying you and your orders, and holy Laurence has told me to fall on my knees
here and ask you to forgive me. Forgive me, I beg you! From now on I will always do as you say. Send for the
count and go and tell him about this. I want them tied in marriage tomorrow morning. I met the young lord at
Laurence's cell and showed him such affection as is proper, without going past the limits of modesty. Well, I am
pleased; this is good.
""",
}
PARAPHRASES = tuple(" ".join(text.split()) for text in _BY_BEGINNING.values())


def originals() -> list[Sample]:
    """Return the documents that are said again, in the same order."""
    by_text = {" ".join(one.turns[0].text.split()): one for one in documents()}
    return [next(one for text, one in by_text.items() if text.startswith(beginning)) for beginning in _BY_BEGINNING]


def paraphrase(sample: Sample, rng: random.Random) -> Sample:
    """Return a sample that says again what one of `originals` says, but for one sentence."""
    sentences = re.split(r"(?<=[.!?]) ", rng.choice(PARAPHRASES))
    sentences.pop(rng.randrange(len(sentences)))
    return answering(sample, " ".join(sentences))
